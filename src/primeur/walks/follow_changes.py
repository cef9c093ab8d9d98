"""Follow the event log: when something changed, compile a new snapshot and say which engines should run."""

import asyncio

from primeur.store.database import last_sequence
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.house import House
from primeur.walks.run_engines import want_engines

_PERIOD_S = 0.2
_LEAST_PAUSE_US = 50_000


async def catch_up(house: House) -> bool:
    """Bring the snapshot up to the newest event; gives whether it is newer than when asked.

    Looks at the database at most every 50 ms, however many ask: those who come in between share the next look.
    """
    board, asked_us, before = house.board, house.clock.monotonic_us(), house.board.now.sequence
    async with board.lock:
        if board.looked_us < asked_us:
            pause_us = board.looked_us + _LEAST_PAUSE_US - house.clock.monotonic_us()
            await asyncio.sleep(max(0, pause_us) / 1e6)
            board.looked_us = house.clock.monotonic_us()
            if await house.store.read(last_sequence) != board.now.sequence:
                await recompile(house)
    return board.now.sequence != before


async def recompile(house: House) -> None:
    """Compile the snapshot anew, also when only an engine's state changed."""
    await want_engines(house)
    house.board.turn(await compile_snapshot(house))
    # What was deployed between the two looks is in this snapshot, and no further event would bring its engine up.
    house.host.want(house.board.now.launches)
    # Requests bind their gates anew from here on, so no lane of the new snapshot holds a counter that is dropped.
    house.limiter.forget_idle()


async def follow_changes(house: House, stop: asyncio.Event) -> None:
    """Catch up five times a second until *stop*; an engine's change of state counts as a change."""
    while not stop.is_set():
        if house.board.stale.is_set():
            house.board.stale.clear()
            async with house.board.lock:
                await recompile(house)
        else:
            await catch_up(house)
        try:
            async with asyncio.timeout(_PERIOD_S):
                await house.board.stale.wait()
        except TimeoutError:
            continue
