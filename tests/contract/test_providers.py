"""The suite that every provider passes: its face, followed over real HTTP to the simulated resource."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import msgspec
import pytest

from primeur.core.chat import Route
from primeur.core.errors import SetupError
from primeur.core.ports import Clock, Provider, ProviderFace, ProviderOrder
from primeur.providers.azure_openai import PROVIDER as AZURE
from primeur.providers.openai_compatible import PROVIDER as OPENAI
from primeur.providers.sim import PROVIDER as SIM
from primeur.providers.sim_behaviour import Behaviour, SimSettings
from primeur.providers.sim_server import SimServer, build_app

KEY = "sim-key-1"
CHAT = {"messages": [{"role": "user", "content": "Which way is north?"}], "max_tokens": 8}


@dataclass
class Case:
    """One provider, declared so that it reaches the simulator."""

    provider: Provider
    settings: dict[str, str]

    def face(self, port: int) -> ProviderFace:
        """Ask the provider for its face to the simulator on *port*."""
        settings = {name: value.replace("{port}", str(port)) for name, value in self.settings.items()}
        return self.provider.face(ProviderOrder(settings, {}, "gpt-sim"))


RESOURCE = "http://127.0.0.1:{port}"
CASES = {
    "openai_compatible": Case(OPENAI, {"base_url": f"{RESOURCE}/openai/v1", "key": KEY}),
    "azure dated": Case(AZURE, {"endpoint": RESOURCE, "api_version": "2024-10-21", "key": KEY}),
    "azure v1": Case(AZURE, {"endpoint": f"{RESOURCE}/openai/v1/", "api_version": "v1", "key": KEY}),
    "azure token": Case(AZURE, {"endpoint": RESOURCE, "api_version": "v1", "token": KEY}),
    "sim": Case(SIM, {"endpoint": RESOURCE, "key": KEY}),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Every provider in turn."""
    return CASES[request.param]


@asynccontextmanager
async def running(clock: Clock, **settings: object) -> AsyncIterator[SimServer]:
    """Run a simulator with a key on a free port."""
    server = SimServer(build_app(msgspec.convert({"key": KEY} | settings, SimSettings), clock))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def reached(case: Case, server: SimServer) -> AsyncIterator["Reach"]:
    """Open a client on the endpoint of the case's face."""
    face = case.face(server.port)
    base = f"{face.endpoint.scheme}://{face.endpoint.host}:{face.endpoint.port}{face.endpoint.prefix}"
    async with httpx2.AsyncClient(headers=dict(face.endpoint.headers), base_url=base, timeout=5) as client:
        yield Reach(face, client)


@dataclass
class Reach:
    """What the gateway does with a face: path, query and model as the dialect says."""

    face: ProviderFace
    client: httpx2.AsyncClient

    def path(self, route: Route) -> str:
        """Give a route's path with its query."""
        path = self.face.dialect.paths[route].replace("{model}", self.face.upstream_model)
        return f"{path}?{self.face.dialect.query}" if self.face.dialect.query else path

    def body(self, fields: dict[str, object]) -> dict[str, object]:
        """Add the model where the dialect wants it."""
        return fields | {"model": self.face.upstream_model} if self.face.dialect.reads_model else fields

    async def post(self, route: Route, fields: dict[str, object]) -> httpx2.Response:
        """Send one request."""
        return await self.client.post(self.path(route), json=self.body(fields))

    async def events(self, fields: dict[str, object]) -> list[str]:
        """Send one streaming chat and collect its events."""
        asked = self.body(fields | {"stream": True})
        async with self.client.stream("POST", self.path(Route.CHAT), json=asked) as response:
            return [line.removeprefix("data: ") async for line in response.aiter_lines() if line]


def text_of(events: list[str]) -> str:
    """Join the text of a stream."""
    chunks = [msgspec.json.decode(event) for event in events if event != "[DONE]"]
    choices = itertools.chain.from_iterable(chunk["choices"] for chunk in chunks)
    return "".join(choice["delta"].get("content") or "" for choice in choices)


async def test_a_chat_is_answered_with_usage_and_verdicts(case, clock):
    """The whole answer carries text, tokens counted, and Azure's content verdicts."""
    async with running(clock) as server, reached(case, server) as reach:
        answer = (await reach.post(Route.CHAT, CHAT)).raise_for_status().json()
    assert answer["model"] == "gpt-sim"
    assert answer["usage"]["completion_tokens"] == 8
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["choices"][0]["content_filter_results"]["violence"] == {"filtered": False, "severity": "safe"}


async def test_a_stream_says_what_the_whole_answer_says(case, clock):
    """The same request gives the same text either way, and the stream ends with usage and its mark."""
    async with running(clock) as server, reached(case, server) as reach:
        whole = (await reach.post(Route.CHAT, CHAT)).json()
        events = await reach.events(CHAT | {"stream_options": {"include_usage": True}})
    assert text_of(events) == whole["choices"][0]["message"]["content"]
    assert events[-1] == "[DONE]"
    assert msgspec.json.decode(events[-2])["usage"] == whole["usage"]


async def test_every_route_of_the_face_is_answered(case, clock):
    """What a face says it serves, it serves."""
    asked = {
        Route.CHAT: CHAT,
        Route.COMPLETIONS: {"prompt": "Once", "max_tokens": 4},
        Route.EMBEDDINGS: {"input": ["one", "two"]},
    }
    async with running(clock) as server, reached(case, server) as reach:
        for route in reach.face.routes:
            assert (await reach.post(route, asked[route])).status_code == 200


async def test_a_wrong_key_is_refused(case, clock):
    """The credentials of the face are what lets it in."""
    async with running(clock, key="another") as server, reached(case, server) as reach:
        response = await reach.post(Route.CHAT, CHAT)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "401"


async def test_a_full_resource_says_when_to_come_back(case, clock):
    """Above its brim the resource answers 429 with the wait in milliseconds and in seconds."""
    full = Behaviour(capacity_tokens_per_minute=60, burst_s=1)
    async with running(clock, behaviour=msgspec.to_builtins(full)) as server, reached(case, server) as reach:
        first = await reach.post(Route.CHAT, CHAT)
        second = await reach.post(Route.CHAT, CHAT)
    assert (first.status_code, second.status_code) == (200, 429)
    assert int(second.headers["retry-after"]) == -(-int(second.headers["retry-after-ms"]) // 1000)


def test_an_unknown_setting_is_refused_by_name(case):
    """A misspelt setting never passes in silence."""
    with pytest.raises(SetupError, match=r"'colour'.*unknown") as caught:
        case.provider.face(ProviderOrder(case.settings | {"colour": "red"}, {}, "gpt-sim"))
    assert caught.value.param == "colour"
