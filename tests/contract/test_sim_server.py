"""The simulated resource below and above HTTP: its control path, latency, outages, faults and refusals."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import msgspec
import pytest

from primeur.providers.sim_behaviour import SimSettings
from primeur.providers.sim_server import SimServer, build_app, serve

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Which way is north?"}], "max_tokens": 6}
PATH = "/openai/v1/chat/completions"


class Pauses:
    """A sleep that takes no time and remembers how long it was asked for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Remember."""
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def simulated(clock, pauses=asyncio.sleep, **behaviour) -> AsyncIterator[httpx2.AsyncClient]:
    """Run a simulator that behaves so, and open a client on it."""
    server = SimServer(build_app(msgspec.convert({"behaviour": behaviour}, SimSettings), clock, pauses))
    await server.start()
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=5) as client:
            yield client
    finally:
        await server.stop()


async def streamed(client: httpx2.AsyncClient) -> list[str]:
    """Stream one chat to its end and give its events."""
    async with client.stream("POST", PATH, json=CHAT | {"stream": True}) as response:
        return [line.removeprefix("data: ") async for line in response.aiter_lines() if line]


async def test_latency_is_waited_before_the_first_token_and_between_tokens(clock):
    """First the time to the first token, then the pace of each."""
    pauses = Pauses()
    async with simulated(clock, pauses, first_token_ms=250, tokens_per_s=50) as client:
        await streamed(client)
    assert pauses.seconds == [0.25] + [0.02] * 6


async def test_behaviour_changes_live_and_is_told(clock):
    """What is put on the control path counts from the next request on."""
    async with simulated(clock) as client:
        put = await client.put("/sim/behaviour", json={"outage": "unavailable"})
        failed = await client.post(PATH, json=CHAT)
        await client.put("/sim/behaviour", json={})
        answered = await client.post(PATH, json=CHAT)
        counters = (await client.get("/sim/counters")).json()
    assert put.json()["outage"] == "unavailable"
    assert (failed.status_code, answered.status_code) == (503, 200)
    assert (counters["requests"], counters["answered"], counters["struck"]) == (2, 1, 1)


async def test_a_wrong_behaviour_changes_nothing(clock):
    """An unknown word is refused by name, and so is a closed port that nobody could open again."""
    async with simulated(clock) as client:
        unknown = await client.put("/sim/behaviour", json={"mood": "bad"})
        endless = await client.put("/sim/behaviour", json={"outage": "refuse"})
        assert (await client.post(PATH, json=CHAT)).status_code == 200
    assert "mood" in unknown.json()["error"]["message"]
    assert "outage_s" in endless.json()["error"]["message"]


async def test_an_outage_with_a_length_ends_by_itself(clock):
    """After outage_s the resource answers again."""
    async with simulated(clock, outage="unavailable", outage_s=30) as client:
        before = await client.post(PATH, json=CHAT)
        clock.ms += 30_000
        after = await client.post(PATH, json=CHAT)
    assert (before.status_code, after.status_code) == (503, 200)


async def test_a_reset_is_a_reset(clock):
    """The connection is cut before a byte of the answer."""
    async with simulated(clock, outage="reset") as client:
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            await client.post(PATH, json=CHAT)


async def test_a_hang_answers_nothing(clock):
    """The client's own patience ends it."""
    async with simulated(clock, outage="hang") as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(PATH, json=CHAT, timeout=0.05)


async def test_a_closed_port_refuses_and_opens_again(clock):
    """Nothing listens while the outage lasts; then the same port answers."""
    closed, opened = asyncio.Event(), asyncio.Event()

    async def wait(_seconds):
        closed.set()
        await opened.wait()

    server = SimServer(build_app(SimSettings(), clock, wait))
    await server.start()
    url = f"http://127.0.0.1:{server.port}"
    try:
        async with httpx2.AsyncClient(base_url=url) as client:
            await client.put("/sim/behaviour", json={"outage": "refuse", "outage_s": 1})
        await closed.wait()
        async with httpx2.AsyncClient(base_url=url) as client:
            with pytest.raises(httpx2.ConnectError):
                await client.post(PATH, json=CHAT)
            clock.ms += 1000
            opened.set()
            await server.reopened()
            assert (await client.post(PATH, json=CHAT)).status_code == 200
    finally:
        await server.stop()


@pytest.mark.parametrize("fault", ["cut", "wrong_length"])
async def test_a_short_stream_is_noticed(clock, fault):
    """A stream without its end, or shorter than promised, breaks HTTP for the client."""
    async with simulated(clock, fault=fault) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await streamed(client)


async def test_a_broken_event_is_no_json(clock):
    """After the tokens that may leave comes an event that cannot be read."""
    async with simulated(clock, fault="bad_json", fault_after_tokens=2) as client:
        events = await streamed(client)
    with pytest.raises(msgspec.DecodeError):
        [msgspec.json.decode(event) for event in events if event != "[DONE]"]


async def test_a_giant_event_is_as_large_as_asked(clock):
    """One event may be larger than any reader should take."""
    async with simulated(clock, fault="giant_event", giant_bytes=100_000) as client:
        events = await streamed(client)
    assert max(map(len, events)) > 100_000


async def test_a_share_of_the_requests_is_struck_evenly(clock):
    """Half of the requests means every second one."""
    async with simulated(clock, outage="unavailable", share=0.5) as client:
        statuses = [(await client.post(PATH, json=CHAT)).status_code for _ in range(4)]
    assert statuses == [200, 503, 200, 503]


async def test_a_blocked_word_is_refused_with_its_verdict(clock):
    """The prompt's filter answers 400 content_filter and says which category."""
    async with simulated(clock, blocked_words=["NORTH"]) as client:
        error = (await client.post(PATH, json=CHAT)).json()["error"]
    assert error["code"] == "content_filter"
    assert error["innererror"]["content_filter_result"]["violence"]["filtered"]


async def test_a_hang_up_is_counted(clock):
    """A client that goes away in the middle ends its answer."""
    never = asyncio.Event()
    async with simulated(clock, lambda _seconds: never.wait(), tokens_per_s=1) as client:
        async with client.stream("POST", PATH, json=CHAT | {"stream": True}) as response:
            await anext(response.aiter_lines())
        for _ in range(100):
            await asyncio.sleep(0.01)
            counters = (await client.get("/sim/counters")).json()
            if counters["cancelled"]:
                break
    assert (counters["cancelled"], counters["in_flight"]) == (1, 0)


async def test_tools_schemas_and_stops_are_honoured(clock):
    """A required tool is called with arguments that fit, a schema is filled in, a stop sequence ends the text."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    tool = {"type": "function", "function": {"name": "weather", "parameters": schema}}
    form = {"type": "json_schema", "json_schema": {"name": "trip", "schema": schema}}
    async with simulated(clock) as client:
        called = (await client.post(PATH, json=CHAT | {"tools": [tool]})).json()["choices"][0]
        asked = {**CHAT, "response_format": form, "max_tokens": 99}
        formed = (await client.post(PATH, json=asked)).json()["choices"][0]
        stopped = (await client.post(PATH, json=CHAT | {"stop": " "})).json()["choices"][0]
    arguments = msgspec.json.decode(called["message"]["tool_calls"][0]["function"]["arguments"])
    assert called["finish_reason"] == "tool_calls"
    assert isinstance(arguments["city"], str)
    assert isinstance(msgspec.json.decode(formed["message"]["content"])["days"], int)
    assert (stopped["finish_reason"], " " in stopped["message"]["content"]) == ("stop", False)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/openai/deployments/m/chat/completions", 404),
        ("/openai/deployments/m/chat/completions?api-version=2024-10-21", 200),
        ("/v1/chat/completions", 404),
        ("/sim/nothing", 404),
    ],
)
async def test_paths_are_azures(clock, path, status):
    """A dated path needs its version; nothing else is there."""
    async with simulated(clock) as client:
        assert (await client.post(path, json=CHAT)).status_code == status


async def test_what_it_cannot_do_is_refused_by_name(clock):
    """No parameter that changes an answer is ignored."""
    async with simulated(clock) as client:
        error = (await client.post(PATH, json=CHAT | {"logprobs": True})).json()["error"]
    assert (error["code"], error["param"]) == ("unsupported_parameter", "logprobs")


async def test_requests_on_one_connection_are_answered_in_turn(clock):
    """Two requests sent at once get their answers in order."""
    server = SimServer(build_app(SimSettings(), clock))
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    ask = "GET /sim/{} HTTP/1.1\r\nhost: sim\r\n\r\n"
    writer.write((ask.format("counters") + ask.format("none")).encode())
    lines = [line async for line in reader_lines(reader, 2)]
    writer.close()
    await writer.wait_closed()
    await server.stop()
    assert lines == [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404 Not Found\r\n"]


async def reader_lines(reader: asyncio.StreamReader, count: int) -> AsyncIterator[bytes]:
    """Give the status lines of *count* answers, skipping headers and bodies."""
    for _ in range(count):
        yield await reader.readline()
        length = 0
        while (line := await reader.readline()) != b"\r\n":
            if line.startswith(b"content-length"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)


async def test_serve_says_where_it_listens_and_stops_when_cancelled(clock):
    """The coroutine that a command runs."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(SimSettings(), clock, port.set_result))
    async with httpx2.AsyncClient() as client:
        url = f"http://127.0.0.1:{await port}{PATH}"
        answers = [(await client.post(url, json=CHAT)).json() for _ in range(2)]
    task.cancel()
    await task
    assert answers[0] == answers[1]
