"""A house with things handed in: an engine and a provider that only plan, a host that only remembers."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copyfile

import httpx2
import pytest

from primeur.core.caller import Caller
from primeur.core.chat import OPENAI_PATHS, Dialect, Endpoint, Route
from primeur.core.errors import SetupError
from primeur.core.ports import EngineOrder, EngineState, Launch, ProviderFace, ProviderOrder
from primeur.core.usage import UsageEvent
from primeur.gateway.asgi import Gateway
from primeur.governance import rows as governance
from primeur.governance import rules
from primeur.limits.memory import MemoryLimiter
from primeur.relay.pool import Pool
from primeur.store.database import Store
from primeur.walks.found_house import found_house
from primeur.walks.house import House, Place

ENDPOINT = Endpoint("http", "127.0.0.1", 9000)
DIALECT = Dialect("plain", OPENAI_PATHS)


class PaperEngine:
    """An engine that plans and refuses the setting ``bad``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dialect = DIALECT
        self.planned: list[EngineOrder] = []

    def plan(self, order: EngineOrder) -> Launch:
        self.planned.append(order)
        if "bad" in order.settings:
            raise SetupError("unknown setting 'bad'; remove it")
        other = replace(DIALECT, name="other") if "other" in order.settings else None
        return Launch(("true",), frozenset({Route.CHAT}), context_tokens=512, dialect=other)


class PaperProvider:
    """A provider that needs a url and a secret."""

    name = "paper"
    secret_settings = frozenset({"api_key"})

    def face(self, order: ProviderOrder) -> ProviderFace:
        if "url" not in order.settings:
            raise SetupError("url is missing; add it to the provider's settings")
        key = str(order.settings.get("api_key", "")).encode()
        endpoint = Endpoint("https", "api.example.org", 443, headers=((b"authorization", b"Bearer " + key),))
        return ProviderFace(endpoint, DIALECT, frozenset({Route.CHAT}), order.upstream_model)


@dataclass
class PaperHost:
    """Remembers what is wanted; tests say how it is doing."""

    states: dict[str, EngineState] = field(default_factory=dict)
    wanted: dict[str, tuple[EngineOrder, Launch]] = field(default_factory=dict)

    def want(self, launches: Mapping[str, tuple[EngineOrder, Launch]]) -> None:
        self.wanted = dict(launches)

    def state(self, revision_id: str) -> EngineState:
        return self.states.get(revision_id, EngineState("waiting", "waits for its turn"))

    def ready(self, revision_id: str) -> None:
        self.states[revision_id] = EngineState("ready", endpoint=ENDPOINT, context_tokens=256)

    async def aclose(self, *, keep_running: bool = False) -> None:
        """Nothing runs."""


class PaperRelay:
    """Carries nothing; tests say what is under way."""

    def __init__(self) -> None:
        self.under_way: dict[Endpoint, int] = {}

    def busy(self, endpoint: Endpoint) -> int:
        return self.under_way.get(endpoint, 0)


class PaperJournal:
    """Remembers usage events."""

    def __init__(self) -> None:
        self.events: list[UsageEvent] = []

    async def append(self, event: UsageEvent) -> None:
        self.events.append(event)


@pytest.fixture
def store(tables: Path, tmp_path: Path) -> Iterator[Store]:
    """A fresh SQLite database: what differs on PostgreSQL is tried one floor below, in rows."""
    made = Store(f"sqlite:///{copyfile(tables, tmp_path / 'primeur.db')}")
    yield made
    made.close()


@pytest.fixture
def host() -> PaperHost:
    return PaperHost()


@pytest.fixture
def house(clock, entropy, store, host, tmp_path) -> House:
    return House(
        clock=clock,
        entropy=entropy,
        store=store,
        journal=PaperJournal(),
        relay=PaperRelay(),
        limiter=MemoryLimiter(clock),
        host=host,
        engines={"llamacpp": PaperEngine("llamacpp"), "echo": PaperEngine("echo")},
        providers={"paper": PaperProvider()},
        place=Place(tmp_path / "data", b"p" * 32, cores=2, memory_bytes=1 << 30),
    )


def gguf(architecture: str = "llama", name: str = "tiny") -> bytes:
    """The smallest file that says what it is."""

    def text(word: str) -> bytes:
        return struct.pack("<Q", len(word)) + word.encode()

    entries = [("general.architecture", architecture), ("general.name", name)]
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries))
    return head + b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in entries) + bytes(64)


@pytest.fixture
def write_gguf(tmp_path: Path):
    """Writes a small GGUF file and gives its path."""

    def write(file: str = "tiny.gguf", **about: str) -> Path:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gguf(**about))
        return path

    return write


@pytest.fixture
async def founded(house) -> House:
    """A house after its first start."""
    await found_house(house)
    return house


@pytest.fixture
def caller_as(founded):
    """Gives a caller with a role, in the default project."""

    async def make(role: str = "owner") -> Caller:
        project = await founded.store.read(lambda tx: governance.find_project(tx, "default"))
        return Caller("key_test", project.id, project.organisation_id, role, rules.roles[role])

    return make


@pytest.fixture
async def owner(caller_as) -> Caller:
    return await caller_as("owner")


@pytest.fixture
async def client(founded) -> AsyncIterator[httpx2.AsyncClient]:
    """The API in the operator's name."""
    key = rules.operator_key(founded.place.pepper)
    transport = httpx2.ASGITransport(Gateway(founded))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://primeur.test", headers={"authorization": f"Bearer {key}"}
    ) as made:
        yield made


@pytest.fixture
def deal(client):
    """Says things to the API and gives what it answers."""

    async def say(path, body=None, method="POST", status=(200, 201)):
        answer = await client.request(method, f"/api/v1/{path}", json=body)
        assert answer.status_code in status, answer.text
        return answer.json()

    return say


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """The relay itself, closed afterwards."""
    made = Pool()
    yield made
    await made.aclose()
    await asyncio.sleep(0)
