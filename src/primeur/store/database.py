"""Transactions on SQLite or PostgreSQL, and the event log that tells what changed."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import DatabaseError, DataError

from primeur.core.errors import BadRequest, SetupError
from primeur.store import schema
from primeur.store.migrate import migrate
from primeur.store.telling import begin_telling, tell, told, write_told

__all__ = ["Store", "Tx", "last_sequence", "tell"]

Tx = Connection
A = TypeVar("A")
T = TypeVar("T")

_BUSY_TIMEOUT_MS = 10_000
_TOGETHER = 256
# Asked several times a second for as long as the service runs: making the statement would cost more than answering it.
_NEWEST = select(func.coalesce(func.max(schema.events.c.sequence), 0))


class Store:
    """One database; a transaction is one plain function, so nothing can be awaited inside it."""

    def __init__(self, url: str, *, backups: Path | None = None) -> None:
        """Open *url* (``sqlite:///...`` or ``postgresql+psycopg://...``) and bring its tables up to date.

        Args:
            backups: folder in which older tables are backed up before they are changed; None: they are not.

        Raises:
            SetupError: the database is damaged, from a newer version, or out of reach.
        """
        self._engine = _open(url)
        # SQLite has one writer; a second thread lets reads go beside it.
        self._writers = ThreadPoolExecutor(1, "store-write")
        self._readers = ThreadPoolExecutor(2, "store-read")
        self._waiting: list[tuple[Callable[[Tx], Any], asyncio.Future[Any]]] = []
        self._committing: asyncio.Task[None] | None = None
        _check(self._engine, url, backups)

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run *work* in one transaction, committed when it returns and rolled back when it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, _with_origin(self.transact_now), work)

    async def transact_together(self, work: Callable[[Tx], T]) -> T:
        """As `transact`, sharing one commit with all that wait at this moment; each is still all or nothing.

        For small writes that come in numbers: what they cost is the disk's time for a commit. When one of them fails,
        all are rolled back and run once more, each by itself.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((_with_origin(work), future))
        if self._committing is None or self._committing.done() or self._committing.get_loop() is not loop:
            self._committing = loop.create_task(self._commit_waiting())
        return await future

    async def _commit_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            outcomes: list[tuple[Any, Exception | None]]
            try:
                outcomes = await loop.run_in_executor(self._writers, self._run_together, [work for work, _ in batch])
            except Exception as error:  # noqa: BLE001 (whatever kept the commit from happening is everybody's)
                outcomes = [(None, error)] * len(batch)
            for (_, future), (value, fault) in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if fault is None:
                    future.set_result(value)
                else:
                    future.set_exception(fault)

    def _run_together(self, works: list[Callable[[Tx], Any]]) -> list[tuple[Any, Exception | None]]:
        def run(tx: Tx) -> list[tuple[Any, Exception | None]]:
            # As a rule none fails, and to prepare for it costs half as much as a small write.
            done, fault = _run_apart(tx, lambda tx: [(work(tx), None) for work in works])
            return done if fault is None else [_run_apart(tx, work) for work in works]

        return self.transact_now(run)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run *work* on a consistent view; it must not write."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def transact_now(self, work: Callable[[Tx], T]) -> T:
        """As `transact`, for callers without an event loop."""
        with self._engine.begin() as tx:
            if tx.dialect.name == "sqlite":
                tx.exec_driver_sql("BEGIN IMMEDIATE")
            begin_telling(tx)
            found = _run(work, tx)
            write_told(tx)
            return found

    def read_now(self, work: Callable[[Tx], T]) -> T:
        """As `read`, for callers without an event loop."""
        with self._engine.connect() as tx:
            if tx.dialect.name == "sqlite":
                tx.exec_driver_sql("BEGIN")
            return _run(work, tx)

    def close(self) -> None:
        """Finish what runs and let go of the database."""
        self._writers.shutdown()
        self._readers.shutdown()
        self._engine.dispose()


def _with_origin(call: Callable[[A], T]) -> Callable[[A], T]:
    """Let *call* know in another thread where it was asked for."""
    context = copy_context()
    return lambda given: context.run(call, given)


def _run_apart(tx: Tx, work: Callable[[Tx], Any]) -> tuple[Any, Exception | None]:
    """Run *work* so that it can fail without taking its neighbours along."""
    so_far = len(told(tx))
    try:
        with tx.begin_nested():
            return work(tx), None
    except Exception as error:  # noqa: BLE001 (it is given to whoever waits for this work)
        del told(tx)[so_far:]
        return None, error


def last_sequence(tx: Tx) -> int:
    """The number of the newest event; 0 when nothing has happened yet."""
    return int(tx.execute(_NEWEST).scalar_one())


def _run(work: Callable[[Tx], T], tx: Tx) -> T:
    try:
        return work(tx)
    except (DataError, OverflowError) as error:
        # The databases differ in what they cannot hold: SQLite numbers beyond 64 bits, PostgreSQL texts with a NUL.
        raise BadRequest("a number is too large, or a text has a character that cannot be stored") from error


def _open(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=4, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _tune(connection: sqlite3.Connection, _record: object) -> None:
        # Transactions are opened by us (BEGIN IMMEDIATE), not guessed by the driver.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def _check(engine: Engine, url: str, backups: Path | None) -> None:
    where = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else engine.url
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
                if verdict != "ok":
                    raise SetupError(f"database {where} is damaged ({verdict}); restore a backup or move it away")
        migrate(engine, backups)
    except DatabaseError as error:
        raise SetupError(f"database {where} cannot be used ({error.orig}); restore a backup or move it away") from error
