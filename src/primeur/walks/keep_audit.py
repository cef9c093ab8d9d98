"""Time in for the event log: repeated refusals every minute, a signed checkpoint every hour."""

import asyncio
from contextlib import suppress

from primeur.walks.checkpoint_audit import checkpoint_when_new
from primeur.walks.house import House
from primeur.walks.note_refusal import tell_refusals

_PAUSE_S = 5.0
_CHECKPOINT_MS = 3_600_000


async def keep_audit(house: House, stop: asyncio.Event) -> None:
    """Go on until *stop*; then tell what is left and sign the end."""
    last_ms = house.clock.now_ms()
    while not stop.is_set():
        await tell_refusals(house)
        if house.clock.now_ms() - last_ms >= _CHECKPOINT_MS:
            last_ms = house.clock.now_ms()
            await checkpoint_when_new(house)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_S)
    await tell_refusals(house, all_of_them=True)
    await checkpoint_when_new(house)
