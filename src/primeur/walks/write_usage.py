"""Turn journal records into rows and entries of the ledger, batch by batch, each one transaction with its cursor."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from primeur.core.usage import UsageEvent
from primeur.metering import rows
from primeur.metering.watching import watch
from primeur.store.database import Tx
from primeur.store.journal import Cursor, forget_before, read_from
from primeur.store.journal_folders import find_journals
from primeur.walks.book_usage import Terms, book_usage, read_terms
from primeur.walks.export_traces import trace
from primeur.walks.house import House

_PERIOD_S = 0.25
# So many in one period, and the next batch is read at once.
_LAGGING = 1500
# What is told between two turns of the event loop: a quarter of a millisecond's worth.
_TOLD_AT_ONCE = 64


@dataclass
class _Reading:
    """How far each journal was read, and the terms at which the last batch was booked."""

    cursors: dict[str, Cursor] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)


async def write_usage(house: House, stop: asyncio.Event) -> None:
    """Follow the journals of all processes until *stop*, then write what is left."""
    reading = _Reading()
    while True:
        stopping = stop.is_set()
        journals = await asyncio.to_thread(find_journals, house.place.data_dir)
        moved = [await _read_on(house, name, folder, reading) for name, folder in journals.items()]
        if stopping and not any(moved):
            return
        # What a transaction costs by itself is shared by as many rows as come in a period; whoever lags does not wait.
        if not stopping and max(moved, default=0) < _LAGGING:
            await _pause(stop)


async def write_what_is_left(house: House) -> None:
    """Write what the journals hold beyond the rows, and return."""
    stop = asyncio.Event()
    stop.set()
    await write_usage(house, stop)


async def _read_on(house: House, name: str, folder: Path, reading: _Reading) -> int:
    """Write one batch of one journal; gives how many events it had."""
    if name not in reading.cursors:
        reading.cursors[name] = await house.store.read(partial(_find, name))
    cursor = reading.cursors[name]
    events, after = await asyncio.to_thread(read_from, folder, cursor)
    if after == cursor:
        return 0
    reading.terms = await house.store.transact(partial(_book, name, events, after, reading.terms))
    await _tell(house, events)
    if after.segment != cursor.segment:
        await asyncio.to_thread(forget_before, folder, after)
    reading.cursors[name] = after
    return len(events)


async def _tell(house: House, events: list[UsageEvent]) -> None:
    """Tell those who watch, and let requests pass in between: they share the event loop."""
    for start in range(0, len(events), _TOLD_AT_ONCE):
        some = events[start : start + _TOLD_AT_ONCE]
        watch(some)
        note_answers(house, some)
        trace(house, some)
        await asyncio.sleep(0)


def note_answers(house: House, events: list[UsageEvent]) -> None:
    """Let those who decide on replicas know what was made, and when."""
    board = house.board
    for event in events:
        if event.revision_id:
            board.made[event.revision_id] += event.usage.output_tokens
            ended_ms = event.at_ms + event.duration_us // 1000
            board.ended_ms[event.revision_id] = max(ended_ms, board.ended_ms.get(event.revision_id, 0))


def _find(name: str, tx: Tx) -> Cursor:
    found = rows.find_cursor(tx, name)
    return Cursor(max(1, found.segment), found.offset)


def _book(name: str, events: list[UsageEvent], after: Cursor, known: Terms, tx: Tx) -> Terms:
    terms = read_terms(tx, known)
    book_usage(tx, events, terms, rows.Cursor(name, after.segment, after.offset))
    return terms


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_PERIOD_S):
            await stop.wait()
    except TimeoutError:
        return
