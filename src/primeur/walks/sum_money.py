"""Sum up by day what the ledger says of requests, for reports and statements."""

import asyncio
from contextlib import suppress

from primeur.billing.money_rows import sum_on
from primeur.walks.house import House

_PERIOD_S = 30.0
_STEPS_MOST = 100_000


async def sum_money(house: House, stop: asyncio.Event) -> None:
    """Follow the ledger until *stop*."""
    while not stop.is_set():
        await sum_up(house)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PERIOD_S)


async def sum_up(house: House) -> None:
    """Bring the sums up to the ledger's newest transaction, each step a transaction with its cursor."""
    for _ in range(_STEPS_MOST):
        if not await house.store.transact(sum_on):
            return
