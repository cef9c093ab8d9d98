"""Turn journal records into rows, batch by batch, each batch one transaction with its cursor."""

import asyncio
from functools import partial
from pathlib import Path

from primeur.core.usage import UsageEvent
from primeur.metering import rows
from primeur.store.database import Tx
from primeur.store.journal import Cursor, forget_before, read_from
from primeur.walks.house import House

_PERIOD_S = 0.25
_NAME = "usage"


def journal_folder(data_dir: Path) -> Path:
    """Where the journal of this house lies."""
    return data_dir / "journal"


async def write_usage(house: House, stop: asyncio.Event) -> None:
    """Follow the journal until *stop*, then write what is left."""
    folder = journal_folder(house.place.data_dir)
    cursor = await house.store.read(_find)
    while True:
        stopping = stop.is_set()
        events, after = await asyncio.to_thread(read_from, folder, cursor)
        if after != cursor:
            await house.store.transact(partial(_keep, events, after))
            if after.segment != cursor.segment:
                await asyncio.to_thread(forget_before, folder, after)
            cursor = after
        elif stopping:
            return
        else:
            await _pause(stop)


async def write_what_is_left(house: House) -> None:
    """Write what the journal holds beyond the rows, and return."""
    stop = asyncio.Event()
    stop.set()
    await write_usage(house, stop)


def _find(tx: Tx) -> Cursor:
    found = rows.find_cursor(tx, _NAME)
    return Cursor(max(1, found.segment), found.offset)


def _keep(events: list[UsageEvent], after: Cursor, tx: Tx) -> None:
    rows.keep_usage(tx, events, rows.Cursor(_NAME, after.segment, after.offset))


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_PERIOD_S):
            await stop.wait()
    except TimeoutError:
        return
