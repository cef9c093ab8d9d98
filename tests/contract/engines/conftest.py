"""Fixtures for engines that run as real processes: a clock that goes, a relay, a host, small weights."""

import asyncio
import contextlib
import functools
import http.client
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import primeur.weights
from primeur.core.chat import Endpoint, Target
from primeur.core.ports import Engine, EngineOrder, EngineState
from primeur.engines import spawn
from primeur.engines.echo import ENGINE as ECHO
from primeur.engines.keeper import Pace
from primeur.engines.llamacpp import ENGINE as LLAMACPP
from primeur.engines.openvino import ENGINE as OPENVINO
from primeur.engines.process import ProcessHost
from primeur.engines.ray import ENGINE as RAY
from primeur.engines.transformers import ENGINE as TRANSFORMERS
from primeur.engines.vllm import ENGINE as VLLM
from primeur.relay.pool import Pool

# What these tests share lies beside them; they are no package.
sys.path.insert(0, str(Path(__file__).parent))
from speaking import Speaker
from tests.e2e.ray_cluster import Cluster, running_cluster
from tiny_weights import write_bert, write_llama, write_llama_folder

HASTY = Pace(
    load_probe_s=0.02,
    probe_s=0.1,
    probe_limit_s=0.3,
    silent_probes=3,
    settle_s=0.01,
    grace_s=0.2,
    first_delay_s=0.05,
    orphan_s=1.2,
)
Until = Callable[[ProcessHost, str, str], Awaitable[EngineState]]


class RealClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool()
    yield made
    await made.aclose()


@pytest.fixture
async def open_host(tmp_path: Path, pool: Pool) -> AsyncIterator[Callable[[], Awaitable[ProcessHost]]]:
    """Opens hosts on one folder, as restarts of the service would; the last one ends every process."""
    hosts: list[ProcessHost] = []

    async def open_one() -> ProcessHost:
        hosts.append(ProcessHost(tmp_path / "engines", RealClock(), pool, pace=HASTY))
        await hosts[-1].open()
        return hosts[-1]

    yield open_one
    for host in hosts:
        await host.aclose()


@pytest.fixture
def until() -> Until:
    """Waits until a revision's engine is in a phase; a minute at most, so that a fault is a failure and not a hang."""

    async def wait(host: ProcessHost, revision_id: str, phase: str) -> EngineState:
        async with asyncio.timeout(60):
            while host.state(revision_id).phase != phase:
                await asyncio.sleep(0.01)
        return host.state(revision_id)

    return wait


@dataclass(frozen=True)
class Kind:
    """An engine with weights and settings, as the suite is run on it."""

    engine: Engine
    weights: Path | None
    settings: dict[str, object]


WEIGHTS = Path(primeur.weights.__file__).parent
# vLLM brings gigabytes and pins of its own, so it has an environment of its own: recipes/vllm_cpu.sh makes one.
VLLM_PYTHON = os.environ.get("PRIMEUR_TEST_VLLM", "")
# Its attention on CPUs knows heads of 64 numbers, and none so small as those of the other tests.
VLLM_SETTINGS = {"python": VLLM_PYTHON, "context_tokens": 512, "slots": 8, "cpu_cache_gib": 1, "eager": True}
KINDS = {
    "echo": lambda _: Kind(ECHO, None, {"context_tokens": 512}),
    "llamacpp, random": lambda folder: Kind(LLAMACPP, write_llama(folder / "tiny.gguf"), {"context_tokens": 512}),
    "llamacpp, starter": lambda _: Kind(LLAMACPP, WEIGHTS / "starter.gguf", {"context_tokens": 512}),
    "transformers, random": lambda folder: Kind(
        TRANSFORMERS, write_llama_folder(folder / "tiny"), {"context_tokens": 512, "device": "cpu"}
    ),
    "openvino, starter": lambda _: Kind(OPENVINO, WEIGHTS / "starter.gguf", {"context_tokens": 512}),
}
if VLLM_PYTHON:
    KINDS["vllm, random"] = lambda folder: Kind(VLLM, write_llama_folder(folder / "wide", heads=1), VLLM_SETTINGS)
# So has Ray Serve LLM: recipes/ray_llm.sh makes one. Its cluster is started for the suite.
RAY_LLM_PYTHON = os.environ.get("PRIMEUR_TEST_RAY_LLM", "")
RAY_LLM_SETTINGS = {
    "engine": "vllm",
    "engine_settings": {name: value for name, value in VLLM_SETTINGS.items() if name != "python"},
    "max_replicas": 2,
    "requests_per_replica": 2,
    "upscale_delay_s": 1,
    "downscale_delay_s": 2,
}
if RAY_LLM_PYTHON:
    KINDS["ray, vllm"] = lambda folder: Kind(RAY, write_llama_folder(folder / "far", heads=1), RAY_LLM_SETTINGS)
NEEDS = {"ray": "ray", "vllm": "transformers", "openvino": "openvino_genai", "transformers": "transformers"}
VECTOR_KINDS = {
    "echo": KINDS["echo"],
    "llamacpp, random": lambda folder: Kind(LLAMACPP, write_bert(folder / "bert.gguf"), {}),
    "llamacpp, minilm": lambda _: Kind(LLAMACPP, WEIGHTS / "minilm.gguf", {}),
}


class Rack:
    """Engines that run for the whole suite: each kind is started once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.targets: dict[str, Target] = {}
        self.children: list[spawn.Child] = []
        self.clusters = contextlib.ExitStack()

    @functools.cached_property
    def cluster(self) -> Cluster:
        """Two nodes that have Ray Serve LLM."""
        return self.clusters.enter_context(running_cluster(RAY_LLM_PYTHON))

    def target(self, name: str, make: Callable[[Path], Kind]) -> Target:
        if name not in self.targets:
            self.targets[name] = self._start(name, make(self.folder))
        return self.targets[name]

    def _start(self, name: str, kind: Kind) -> Target:
        log = self.folder / f"{name}.log"
        settings = kind.settings | (self.cluster.settings if kind.engine is RAY else {})
        order = EngineOrder("rev", "m", kind.weights, settings, 2, 4 << 30, log, frozenset({VLLM_PYTHON}))
        launch = kind.engine.plan(order)
        port, secret = spawn.free_port(), spawn.new_secret()
        orders = {"PRIMEUR_ENGINE_PORT": str(port), "PRIMEUR_ENGINE_KEY": secret}
        pid = spawn.start(launch.argv, {**os.environ, **orders, **launch.environment}, log)
        self.children.append(spawn.Child(pid, spawn.started_ticks(pid), port, secret))
        wait_for(port, log)
        endpoint = Endpoint("http", "127.0.0.1", port, headers=((b"authorization", f"Bearer {secret}".encode()),))
        dialect = launch.dialect or kind.engine.dialect
        return Target("rev", kind.engine.name, endpoint, dialect, "m", launch.routes, features=launch.features)

    def close(self) -> None:
        for child in self.children:
            spawn.kill(child)
            os.waitpid(child.pid, 0)
        self.clusters.close()


def wait_for(port: int, log: Path) -> None:
    """Look until the engine is ready, five minutes at most."""
    for _ in range(3000):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.suppress(OSError):
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                connection.close()
                return
        connection.close()
        time.sleep(0.1)
    pytest.fail(f"the engine did not get ready: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rack]:
    made = Rack(tmp_path_factory.mktemp("rack"))
    yield made
    made.close()


@pytest.fixture(params=list(KINDS))
def engine(request: pytest.FixtureRequest, rack: Rack, pool: Pool) -> Speaker:
    """Every engine that makes tokens, one after the other; those whose extra is not installed are left out."""
    needed = NEEDS.get(request.param.partition(",")[0])
    if needed is not None:
        pytest.importorskip(needed)
    return Speaker(rack.target(request.param, KINDS[request.param]), pool)


@pytest.fixture(params=list(VECTOR_KINDS))
def vector_engine(request: pytest.FixtureRequest, rack: Rack, pool: Pool) -> Speaker:
    """Every engine that makes vectors."""
    name = request.param if request.param == "echo" else f"vectors: {request.param}"
    return Speaker(rack.target(name, VECTOR_KINDS[request.param]), pool)


@pytest.fixture
def far(rack: Rack, pool: Pool) -> Speaker:
    """Ray Serve LLM with vLLM, on two nodes."""
    if not RAY_LLM_PYTHON:
        pytest.skip("set PRIMEUR_TEST_RAY_LLM to the Python of an environment that recipes/ray_llm.sh made")
    pytest.importorskip("ray")
    return Speaker(rack.target("ray, vllm", KINDS["ray, vllm"]), pool)


@pytest.fixture
def llama(rack: Rack, pool: Pool) -> Speaker:
    """llama.cpp with random weights and fill-in-the-middle tokens."""
    return Speaker(rack.target("llamacpp, random", KINDS["llamacpp, random"]), pool)


@pytest.fixture
def starter(rack: Rack, pool: Pool) -> Speaker:
    """llama.cpp with the model that comes with the program."""
    return Speaker(rack.target("llamacpp, starter", KINDS["llamacpp, starter"]), pool)


@pytest.fixture
def echo(rack: Rack, pool: Pool) -> Speaker:
    """The echo engine."""
    return Speaker(rack.target("echo", KINDS["echo"]), pool)
