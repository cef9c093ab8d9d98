"""The houses of several processes: the parent's office, and the windows at which callers are answered."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from prometheus_client import generate_latest

from primeur.app import counted, kept_going, make_house, open_limiter, open_store
from primeur.config import Settings
from primeur.engines.process import ProcessHost
from primeur.intercom.office import Office
from primeur.intercom.peer import Handler, Peer
from primeur.intercom.window import FarFamily, FarHost
from primeur.limits.far import FarKeeper, answer
from primeur.limits.keeper import LocalKeeper, MemoryKeeper
from primeur.machine import SystemClock
from primeur.relay.pool import Pool
from primeur.store.folder_lock import FolderLock
from primeur.store.journal import FileJournal
from primeur.store.journal_folders import journal_folder
from primeur.walks.house import Board, House
from primeur.walks.read_loads import loads_here


@asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[tuple[House, Office]]:
    """The parent's house: engines, stories and rows; it answers nobody but its own processes.

    Raises:
        SetupError: data folder, database or journal cannot be used.
    """
    store, clock, counts = open_store(settings), SystemClock(), MemoryKeeper()
    journal = FileJournal(journal_folder(settings.data_dir))
    pool, board = Pool(egress=settings.egress), Board()
    host = ProcessHost(settings.data_dir / "engines", clock, pool, board.stale.set)
    await host.open()
    try:
        limiter = open_limiter(settings, store, "office", LocalKeeper(counts, clock))
        house = make_house(settings, store, journal, pool, host, limiter, board=board)
        office = Office(partial(answer, counts, clock), counts.forget, generate_latest, partial(loads_here, house))
        async with kept_going(house):
            with counted(house):
                yield house, office
    finally:
        await host.aclose()
        await journal.aclose()
        await pool.aclose()
        store.close()


@asynccontextmanager
async def open_window(settings: Settings, name: str, inherited: int) -> AsyncIterator[tuple[House, Peer, FarHost]]:
    """A gateway process's house: its own journal and connections; engines, limits and rows are the parent's.

    Args:
        name: of its journal.
        inherited: file descriptor of its end of the socket pair.

    Raises:
        SetupError: another process writes the journal, or it cannot be used.
    """
    folder = journal_folder(settings.data_dir, name)
    lock = FolderLock(folder)
    store, journal = open_store(settings), FileJournal(folder)
    pool, board = Pool(egress=settings.egress), Board()
    host = FarHost(board.stale.set)
    reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=inherited))
    parent = Peer(reader, writer, {"engines": _hears(host), "metrics": _metrics}, "the parent process")
    try:
        limiter = open_limiter(settings, store, name, FarKeeper(parent.call))
        family = FarFamily(parent)
        house = make_house(settings, store, journal, pool, host, limiter, board=board, family=family)
        async with kept_going(house):
            yield house, parent, host
    finally:
        await parent.aclose()
        await journal.aclose()
        await pool.aclose()
        store.close()
        lock.close()


def _hears(host: FarHost) -> Handler:
    async def hear(_peer: Peer, body: bytes) -> bytes:
        host.hear(body)
        return b""

    return hear


async def _metrics(_peer: Peer, _body: bytes) -> bytes:
    return generate_latest()
