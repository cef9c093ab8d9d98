"""A gateway over a simulated provider: real HTTP from an official client to the simulator and back."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from primeur.core.caller import Caller
from primeur.core.chat import Deployment, Target
from primeur.core.ports import Provider, ProviderOrder
from primeur.core.usage import UsageEvent
from primeur.gateway.asgi import Gateway
from primeur.governance.rules import digest_key, permissions_of
from primeur.limits.memory import MemoryLimiter
from primeur.providers.azure_openai import PROVIDER as AZURE
from primeur.providers.openai_compatible import PROVIDER as OPENAI
from primeur.providers.sim import PROVIDER as SIM
from primeur.providers.sim_behaviour import Behaviour, SimSettings
from primeur.providers.sim_server import SimServer, build_app
from primeur.relay.pool import Pool
from primeur.store.database import Store
from primeur.store.journal import Cursor, FileJournal, read_from
from primeur.walks.house import Board, House, Place, Snapshot

KEY = "pk_simulated"
PEPPER = b"p" * 32
RESOURCE = "http://127.0.0.1:{port}"
FACES: dict[str, tuple[Provider, dict[str, str]]] = {
    "sim": (SIM, {"endpoint": RESOURCE}),
    "openai_compatible": (OPENAI, {"base_url": f"{RESOURCE}/openai/v1"}),
    "mistral": (OPENAI, {"base_url": f"{RESOURCE}/openai/v1", "server": "mistral"}),
    "azure dated": (AZURE, {"endpoint": RESOURCE, "api_version": "2024-10-21", "key": "k"}),
    "azure v1": (AZURE, {"endpoint": RESOURCE, "token": "t"}),
}


@dataclass
class Served:
    """Where the gateway listens, the key it knows, and its journal."""

    url: str
    key: str
    journal: Path

    def events(self) -> list[UsageEvent]:
        """Read what is in the journal."""
        return read_from(self.journal, Cursor(1, 0))[0]


class NoHost:
    """There are no engines here."""

    def want(self, _launches):
        """Start nothing."""

    def state(self, _revision_id):
        """Never asked."""
        raise NotImplementedError

    async def aclose(self, *, keep_running=False):
        """Nothing runs."""


class Listening(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets=None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()


def make_target(face_name: str, port: int) -> Target:
    """A target that reaches the simulator on *port* the way the provider does."""
    provider, settings = FACES[face_name]
    declared = {name: value.replace("{port}", str(port)) for name, value in settings.items()}
    face = provider.face(ProviderOrder(declared, {}, "gpt-sim"))
    return Target(
        f"rev_{provider.name}",
        provider.name,
        face.endpoint,
        face.dialect,
        face.upstream_model,
        face.routes,
        features=face.features,
    )


def make_house(tmp_path, clock, entropy, target) -> House:
    """A house whose one deployment is served by *target*."""
    caller = Caller("key_1", "prj_1", "org_1", "test", permissions_of("owner"))
    board = Board()
    board.now = Snapshot(
        callers={digest_key(KEY, PEPPER): caller}, deployments={"north": Deployment("north", "m", 0, (target,))}
    )
    return House(
        clock=clock,
        entropy=entropy,
        store=Store(f"sqlite:///{tmp_path / 'primeur.db'}"),
        journal=FileJournal(tmp_path / "journal"),
        relay=Pool(),
        limiter=MemoryLimiter(clock),
        host=NoHost(),
        engines={},
        providers={},
        place=Place(tmp_path, PEPPER, 1, 1 << 30),
        board=board,
    )


@asynccontextmanager
async def opened(tmp_path, clock, entropy, behaviour, face_name):
    """Run simulator and gateway in this loop; gives the gateway's port."""
    sim = SimServer(build_app(SimSettings(behaviour=behaviour), clock))
    await sim.start()
    house = make_house(tmp_path, clock, entropy, make_target(face_name, sim.port))
    server = Listening(uvicorn.Config(Gateway(house), port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    await server.ready.wait()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
        await sim.stop()
        await house.relay.aclose()
        await house.journal.aclose()
        house.store.close()


@pytest.fixture
def over_sim(tmp_path, clock, entropy):
    """Gives a context manager: everything runs in a thread of its own while it is open."""

    @contextmanager
    def served(face_name: str = "sim", **behaviour) -> Iterator[Served]:
        port: list[int] = []
        ready, stop = threading.Event(), threading.Event()

        async def run() -> None:
            async with opened(tmp_path, clock, entropy, Behaviour(**behaviour), face_name) as at:
                port.append(at)
                ready.set()
                await asyncio.to_thread(stop.wait)

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        assert ready.wait(10)
        try:
            yield Served(f"http://127.0.0.1:{port[0]}", KEY, tmp_path / "journal")
        finally:
            stop.set()
            thread.join(10)

    return served
