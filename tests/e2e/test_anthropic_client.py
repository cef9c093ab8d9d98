"""Anthropic's official client against the gateway, over real HTTP to a simulated provider and back."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager

import anthropic
import pytest
import uvicorn

from primeur.core.caller import Caller
from primeur.core.chat import Deployment, Target
from primeur.core.ports import ProviderOrder
from primeur.gateway.asgi import Gateway
from primeur.governance.rules import digest_key, permissions_of
from primeur.limits.memory import MemoryLimiter
from primeur.providers.sim import PROVIDER
from primeur.providers.sim_behaviour import Behaviour, SimSettings
from primeur.providers.sim_server import SimServer, build_app
from primeur.relay.pool import Pool
from primeur.store.database import Store
from primeur.store.journal import FileJournal
from primeur.walks.house import Board, House, Place, Snapshot

pytestmark = pytest.mark.e2e

KEY = "pk_anthropic"
PEPPER = b"p" * 32
HELLO = [{"role": "user", "content": "Which way is north?"}]
TOOL = {
    "name": "weather",
    "description": "Tells the weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class NoHost:
    """There are no engines here."""

    def want(self, _launches):
        """Start nothing."""

    def state(self, _revision_id):
        """Never asked."""
        raise NotImplementedError

    async def aclose(self, *, keep_running=False):
        """Nothing runs."""


def make_house(tmp_path, clock, entropy, port) -> House:
    """A house whose one deployment is served by the simulator on *port*."""
    face = PROVIDER.face(ProviderOrder({"endpoint": f"http://127.0.0.1:{port}"}, {}, "gpt-sim"))
    target = Target(
        "rev_1", "sim", face.endpoint, face.dialect, face.upstream_model, face.routes, features=face.features
    )
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
        limiter=MemoryLimiter(),
        host=NoHost(),
        engines={},
        providers={"sim": PROVIDER},
        place=Place(tmp_path, PEPPER, 1, 1 << 30),
        board=board,
    )


class Listening(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets=None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def opened(tmp_path, clock, entropy, behaviour):
    """Run simulator and gateway in this loop; gives the gateway's port."""
    sim = SimServer(build_app(SimSettings(behaviour=behaviour), clock))
    await sim.start()
    house = make_house(tmp_path, clock, entropy, sim.port)
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


@contextmanager
def served(tmp_path, clock, entropy, **behaviour) -> Iterator[anthropic.Anthropic]:
    """Run everything in a thread of its own, and give a client of it."""
    port: list[int] = []
    ready, stop = threading.Event(), threading.Event()

    async def run() -> None:
        async with opened(tmp_path, clock, entropy, Behaviour(**behaviour)) as at:
            port.append(at)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(10)
    try:
        with anthropic.Anthropic(api_key=KEY, base_url=f"http://127.0.0.1:{port[0]}", max_retries=0) as client:
            yield client
    finally:
        stop.set()
        thread.join(10)


@pytest.fixture
def client(tmp_path, clock, entropy):
    """A client of a gateway that behaves well."""
    with served(tmp_path, clock, entropy) as made:
        yield made


def test_a_message_is_answered(client):
    """Text, reason, usage and the caller's own name of the model."""
    message = client.messages.create(model="north", max_tokens=8, messages=HELLO, system="Be brief.")
    assert message.content[0].text
    assert (message.model, message.stop_reason) == ("north", "max_tokens")
    assert message.usage.output_tokens == 8
    assert message._request_id.startswith("req_")


def test_a_stream_gives_the_same_message(client):
    """The client puts together from events what the whole answer says."""
    asked = {"model": "north", "max_tokens": 12, "messages": HELLO}
    whole = client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text == final.content[0].text
    assert (final.stop_reason, final.usage.output_tokens) == (whole.stop_reason, 12)
    assert final.usage.input_tokens == whole.usage.input_tokens


@pytest.mark.parametrize("streams", [False, True])
def test_a_tool_is_called_and_its_result_heard(client, streams):
    """The call comes with its arguments as an object; its result leads to words."""
    asked = {"model": "north", "max_tokens": 64, "tools": [TOOL], "messages": HELLO}
    if streams:
        with client.messages.stream(**asked) as stream:
            called = stream.get_final_message()
    else:
        called = client.messages.create(**asked)
    use = next(block for block in called.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "rain"}
    history = [*HELLO, {"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
    heard = client.messages.create(**asked | {"messages": history})
    assert (called.stop_reason, use.name, isinstance(use.input["city"], str)) == ("tool_use", "weather", True)
    assert heard.content[0].type == "text"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"model": "south"}, anthropic.NotFoundError),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, anthropic.BadRequestError),
        ({"extra_body": {"top_k": 5}}, anthropic.BadRequestError),
        ({"extra_headers": {"authorization": "Bearer pk_wrong"}}, anthropic.AuthenticationError),
    ],
)
def test_refusals_raise_the_right_class(client, fields, error):
    """Each status and body is one that the client knows, with the request's id."""
    with pytest.raises(error) as caught:
        client.messages.create(**{"model": "north", "max_tokens": 8, "messages": HELLO} | fields)
    assert caught.value.body["type"] == "error"
    assert caught.value.request_id.startswith("req_")


def test_counting_ahead_is_refused(client):
    """A guess would be taken for a count."""
    with pytest.raises(anthropic.NotFoundError, match="cannot be counted ahead"):
        client.messages.count_tokens(model="north", messages=HELLO)


def test_a_busy_target_is_a_rate_limit(tmp_path, clock, entropy):
    """Back-pressure keeps its class and says when to come back."""
    with served(tmp_path, clock, entropy, capacity_tokens_per_minute=60, burst_s=1) as client:
        client.messages.create(model="north", max_tokens=64, messages=HELLO)
        with pytest.raises(anthropic.RateLimitError) as caught:
            client.messages.create(model="north", max_tokens=64, messages=HELLO)
    assert int(caught.value.response.headers["retry-after-ms"]) > 0


def test_an_outage_is_a_server_error(tmp_path, clock, entropy):
    """A target that fails is no fault of the caller."""
    with (
        served(tmp_path, clock, entropy, outage="unavailable") as client,
        pytest.raises(anthropic.InternalServerError),
    ):
        client.messages.create(model="north", max_tokens=8, messages=HELLO)


def test_a_stream_that_breaks_says_so(tmp_path, clock, entropy):
    """What came before the fault is given; then the client raises."""
    seen = []
    asked = {"model": "north", "max_tokens": 8, "messages": HELLO}
    with (
        served(tmp_path, clock, entropy, fault="cut", fault_after_tokens=2) as client,
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(**asked) as stream,
    ):
        seen.extend(stream.text_stream)
    assert seen
