"""Builds the house once and hands it down; the one file that knows every room."""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from primeur import weights
from primeur.config import Settings, mail_server
from primeur.core.errors import SetupError
from primeur.core.ports import EngineHost, EngineOrder, EngineState, Family, Journal, KeyService, Launch, Limiter
from primeur.core.usage import UsageEvent
from primeur.engines.process import ProcessHost
from primeur.gateway.asgi import App, Gateway
from primeur.gateway.load_metrics import LoadCollector
from primeur.gateway.threshold import Threshold
from primeur.limits.memory import MemoryLimiter
from primeur.limits.metrics import SharedLimitsCollector
from primeur.limits.shared import SharedLimiter
from primeur.limits.slices import Keeper
from primeur.limits.valkey import ValkeyKeeper
from primeur.machine import SystemClock, SystemDice, memory_here, name_machine
from primeur.relay.errand import PooledErrands
from primeur.relay.pool import Pool
from primeur.store.database import Store
from primeur.store.journal import FileJournal
from primeur.store.journal_folders import journal_folder, journal_name
from primeur.store.master_keys import FileKeys
from primeur.store.pepper import read_pepper
from primeur.walks.house import Board, House, Place
from primeur.walks.read_used import read_used
from primeur.walks.tell_limits import tell_limits

WEIGHTS = Path(weights.__file__).parent

_log = logging.getLogger("primeur")


class _NoHost:
    """Stands where engines would run while only the command line is at work on the data folder."""

    def want(self, launches: Mapping[str, tuple[EngineOrder, Launch]]) -> None:
        """Start nothing."""

    def state(self, revision_id: str) -> EngineState:  # noqa: ARG002 (the port's signature)
        """Say why nothing runs."""
        return EngineState("stopped", "the service is not running; start it with `primeur up`")

    async def aclose(self, *, keep_running: bool = False) -> None:
        """Nothing to close."""


class _NoJournal:
    """Refuses inference while the service does not run: there would be nobody to meter it."""

    async def append(self, event: UsageEvent) -> None:  # noqa: ARG002 (the port's signature)
        """Refuse."""
        raise SetupError("the service is not running; start it with `primeur up`")

    def append_soon(self, event: UsageEvent, done: Callable[[OSError | None], None]) -> None:  # noqa: ARG002
        """Refuse."""
        raise SetupError("the service is not running; start it with `primeur up`")

    def append_record(self, record: bytes, done: Callable[[OSError | None], None]) -> None:  # noqa: ARG002
        """Refuse."""
        raise SetupError("the service is not running; start it with `primeur up`")


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[House]:
    """A house without engines, for management commands while the service does not run."""
    store = open_store(settings)
    pool = Pool(egress=settings.egress)
    try:
        limiter = MemoryLimiter(SystemClock(), partial(read_used, store))
        yield make_house(settings, store, _NoJournal(), pool, _NoHost(), limiter)
    finally:
        await pool.aclose()
        store.close()


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """The whole house; on the way out engines are stopped and the journal is closed.

    Raises:
        SetupError: data folder, database or journal cannot be used.
    """
    store = open_store(settings)
    journal = FileJournal(journal_folder(settings.data_dir))
    pool, board = Pool(egress=settings.egress), Board()
    host = ProcessHost(settings.data_dir / "engines", SystemClock(), pool, board.stale.set)
    await host.open()
    try:
        limiter = open_limiter(settings, store, "one")
        house = make_house(settings, store, journal, pool, host, limiter, board=board)
        async with kept_going(house):
            with counted(house):
                yield house
    finally:
        await host.aclose()
        await journal.aclose()
        await pool.aclose()
        store.close()


def open_limiter(settings: Settings, store: Store, process: str, keeper: Keeper | None = None) -> Limiter:
    """Give the limiter of a process: shared through Valkey, shared through *keeper*, or this process's alone.

    Raises:
        SetupError: the settings name a Valkey that cannot be used.
    """
    clock, books = SystemClock(), partial(read_used, store)
    if settings.valkey:
        # There, processes of other services and of earlier starts have the same names.
        keeper, process = ValkeyKeeper(settings.valkey), f"{process}-{secrets.token_hex(6)}"
    if keeper is None:
        return MemoryLimiter(clock, books)
    return SharedLimiter(clock, keeper, process, books, shares_when_lost=settings.shares_when_lost)


@contextmanager
def counted(house: House) -> Iterator[None]:
    """Let Prometheus see what is under way; see `LoadCollector`."""
    collector = LoadCollector(house)
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)


@asynccontextmanager
async def kept_going(house: House) -> AsyncIterator[None]:
    """Let shared limits go their rounds; at the end everything is given back."""
    limiter = house.limiter
    if not isinstance(limiter, SharedLimiter):
        yield
        return
    telling: set[asyncio.Task[None]] = set()

    def told(reason: str) -> None:
        task = asyncio.create_task(tell_limits(house, limiter.holder, reason, shares=limiter.shares_when_lost))
        telling.add(task)
        task.add_done_callback(telling.discard)

    rounds, collector = asyncio.create_task(limiter.run(told)), SharedLimitsCollector(limiter)
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)
        rounds.cancel()
        await asyncio.wait([rounds, *telling])
        await limiter.aclose()


def open_store(settings: Settings) -> Store:
    """Open the database in a data folder that is made when it is missing.

    Raises:
        SetupError: the folder cannot be written, or the database cannot be used.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = settings.data_dir / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SetupError(
            f"data folder {settings.data_dir} cannot be written ({error.strerror}); choose another with --data-dir"
        ) from error
    return Store(settings.database_url, backups=settings.data_dir / "backups")


def build_app(house: House) -> Gateway:
    """The ASGI application: the API's doors, and the console behind them."""
    return Gateway(house, Threshold(partial(_build_console, house)))


def _build_console(house: House) -> App:
    """The console, an ordinary customer of the doors."""
    import httpx2  # noqa: PLC0415 (see `Threshold`)

    from primeur.console import pages  # noqa: PLC0415

    doors = httpx2.ASGITransport(Gateway(house), raise_app_exceptions=False)
    # Its calls do not leave the process; the name only has to be the same in Host and Origin.
    return pages.build(house, httpx2.AsyncClient(transport=doors, base_url="http://primeur"))


def make_house(  # noqa: PLR0913, PLR0917 (every port is plugged in here)
    settings: Settings,
    store: Store,
    journal: Journal,
    pool: Pool,
    host: EngineHost,
    limiter: Limiter,
    *,
    board: Board | None = None,
    family: Family | None = None,
) -> House:
    """Plug everything together."""
    return House(
        clock=SystemClock(),
        entropy=SystemDice(),
        store=store,
        journal=journal,
        relay=pool,
        limiter=limiter,
        host=host,
        engines=_adapters("primeur.engines"),
        providers=_adapters("primeur.providers"),
        place=Place(
            data_dir=settings.data_dir,
            pepper=read_pepper(settings.data_dir, settings.secret_path),
            cores=len(os.sched_getaffinity(0)),
            memory_bytes=settings.memory_mib << 20 if settings.memory_mib else memory_here(),
            programs=settings.programs,
            machine=name_machine(),
            egress=settings.egress,
            key_service=_key_service(settings),
            audit_key_path=settings.audit_key_path,
            checkpoints_to=settings.checkpoints_to,
            trusted_proxies=settings.trusted_proxies,
            traces_to=settings.traces_to,
            public_url=settings.public_url,
            name=journal_name(settings.data_dir),
        ),
        board=board or Board(),
        family=family,
        errands=PooledErrands(settings.egress),
        post=mail_server(settings),
    )


def _key_service(settings: Settings) -> KeyService:
    """Plug in where master keys come from.

    Raises:
        SetupError: no such key service is installed.
    """
    name, _, argument = (settings.master_keys or f"file:{settings.data_dir / 'master.keys'}").partition(":")
    if name == "file":
        return FileKeys(Path(argument), os.urandom)
    for entry in entry_points(group="primeur.key_services"):
        if entry.name == name:
            made: KeyService = entry.load()(argument)
            return made
    raise SetupError(f"PRIMEUR_MASTER_KEYS names the key service {name!r}, which is not installed; write file:PATH")


def _adapters(group: str) -> dict[str, Any]:
    """Load adapters; one that cannot be loaded (its extra is missing) is left out and named."""
    found: dict[str, Any] = {}
    for entry in entry_points(group=group):
        try:
            adapter = entry.load()
        except ImportError as error:
            _log.warning("the adapter %s is left out: %s", entry.name, error)
            continue
        found[adapter.name] = adapter
    return found
