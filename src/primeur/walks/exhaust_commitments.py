"""Use in for capacity: a commitment of which nothing is left is exhausted."""

import asyncio
from contextlib import suppress

from primeur.broker.book_rows import list_papers
from primeur.broker.commands import ExhaustCommitment
from primeur.broker.papers import Commitment, CommitmentState
from primeur.broker.register import Kind
from primeur.broker.use_rows import read_use
from primeur.core.errors import Conflict
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.keep_book import HOUSE, tell_kept

_PERIOD_S = 5


async def exhaust_commitments(house: House, stop: asyncio.Event) -> None:
    """Look every few seconds until *stop*."""
    while not stop.is_set():
        await exhaust_used(house)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PERIOD_S):
                await stop.wait()


async def exhaust_used(house: House) -> int:
    """Exhaust the active commitments that are used up; gives how many they were."""
    used_up = await house.store.read(lambda tx: _used_up(tx, house.clock.now_ms()))
    for book_id, command in used_up:
        with suppress(Conflict):
            # Its term may have ended, or it was amended, since it was read.
            await _exhaust(house, book_id, command)
    return len(used_up)


async def _exhaust(house: House, book_id: str, command: ExhaustCommitment) -> None:
    await tell_kept(house, book_id, lambda _: command, HOUSE)


def _used_up(tx: Tx, now_ms: int) -> list[tuple[str, ExhaustCommitment]]:
    active = list_papers(tx, Kind.COMMITMENT, state=CommitmentState.ACTIVE)
    uses = read_use(tx, [one.line.paper for one in active if isinstance(one.line.paper, Commitment)], now_ms)
    return [
        (one.book_id, ExhaustCommitment(f"{one.line.id}/exhausted", one.line.id, uses[one.line.id].tokens))
        for one in active
        if uses[one.line.id].is_all
    ]
