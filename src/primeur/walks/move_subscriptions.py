"""Move subscriptions when their time has come: trials end, cancellations end, overdue invoices are noticed."""

import asyncio
from contextlib import suppress
from functools import partial

from primeur.billing import invoice_rows, plan_rows
from primeur.billing.rules.subscriptions import ACTIVE, SUBSCRIPTION, Subscription, due_move, term_at
from primeur.core.events import SubscriptionMoved
from primeur.metering.rate_rows import list_rates
from primeur.metering.rows import list_prices
from primeur.store.database import Tx, tell
from primeur.walks.house import House

_PERIOD_S = 5.0
_ACTOR = "house"


async def move_subscriptions(house: House, stop: asyncio.Event) -> None:
    """Look every five seconds until *stop*; a term or price that begins makes the snapshot stale, as an event would."""
    looked_ms = house.clock.now_ms()
    while not stop.is_set():
        now_ms = house.clock.now_ms()
        if await move_due(house, now_ms) or await house.store.read(partial(_begins, looked_ms, now_ms)):
            house.board.stale.set()
        looked_ms = now_ms
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PERIOD_S)


async def move_due(house: House, now_ms: int) -> int:
    """Move every subscription that the clock asks for; gives how many."""
    if not await house.store.read(lambda tx: _due(tx, now_ms)):
        return 0

    def work(tx: Tx) -> int:
        due = _due(tx, now_ms)
        for one, move in due:
            ends_ms = None if move == "begin" else one.ends_ms
            moved = plan_rows.move_subscription(tx, one, SUBSCRIPTION.after(one.state, move), ends_ms)
            tell_move(tx, house, moved, _ACTOR)
        return len(due)

    return await house.store.transact(work)


def tell_move(tx: Tx, house: House, moved: Subscription, actor: str) -> None:
    """Tell that a subscription is in another state."""
    now_ms = house.clock.now_ms()
    terms = plan_rows.list_terms(tx, moved.id)
    held = term_at(terms, now_ms) or terms[-1]
    what = SubscriptionMoved(moved.id, moved.customer_id, moved.state, held.plan_id)
    tell(tx, what, actor=actor, at_ms=now_ms)


def _due(tx: Tx, now_ms: int) -> list[tuple[Subscription, str]]:
    late = {one.customer_id for one in invoice_rows.overdue(tx, now_ms)}
    found: list[tuple[Subscription, str]] = []
    for one in plan_rows.list_subscriptions(tx):
        move = due_move(one, now_ms)
        if move is None and one.state == ACTIVE and one.customer_id in late:
            move = "miss"
        if move is not None:
            found.append((one, move))
    return found


def _begins(after_ms: int, now_ms: int, tx: Tx) -> bool:
    """Whether a term or a price has begun, or a term has ended."""
    prices = [*(price.from_ms for price in list_prices(tx)), *(rate.from_ms for rate in list_rates(tx))]
    if any(after_ms < from_ms <= now_ms for from_ms in prices):
        return True
    terms = (term for one in plan_rows.list_subscriptions(tx) for term in plan_rows.list_terms(tx, one.id))
    return any(after_ms < at_ms <= now_ms for term in terms for at_ms in (term.from_ms, term.to_ms or 0))
