"""The load: wrk for whole answers as fast as they come, our own client for streams and for a steady rate.

Every party gets the same client and the same body; only the model's name and the party's own headers differ.
"""

import asyncio
import gc
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.gateway.parties import Party

_SYSTEM = "You are a careful assistant of a river authority. Answer in whole sentences and give your sources. " * 4
_TURN = "How far is it from the hills to the sea, and which lakes does the river run through on its way? " * 2
_WRK = """
wrk.method = "POST"
wrk.path = "{path}"
wrk.headers["content-type"] = "application/json"
{headers}
wrk.body = {body}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"errors":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""
TIMEOUT_S = 30


@dataclass(frozen=True)
class Round:
    """What wrk saw; latencies in microseconds."""

    requests: int
    duration_us: int
    p50_us: int
    p99_us: int
    errors: int


def body_for(party: Party, *, stream: bool = False) -> bytes:
    """A chat of five turns, about 1.3 kB."""
    turns = [{"role": ("user", "assistant")[n % 2], "content": _TURN} for n in range(5)]
    messages = [{"role": "system", "content": _SYSTEM}, *turns]
    asked = {"model": party.model, "messages": messages, "max_tokens": 256, "temperature": 0.7}
    return json.dumps({**asked, "stream": True} if stream else asked, separators=(",", ":")).encode()


def wrk(party: Party, connections: int, seconds: int, folder: Path, body: bytes | None = None) -> Round:
    """Ask over *connections* connections, each again as soon as it has its answer; *body*: instead of the usual one."""
    script = folder / f"{party.name}.lua"
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in party.headers.items())
    asked = f"[[{(body or body_for(party)).decode()}]]"
    script.write_text(_WRK.format(path=party.path, headers=headers, body=asked), "utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT_S}s", f"-s{script}"]
    told = subprocess.run([*command, f"http://127.0.0.1:{party.port}"], capture_output=True, text=True, check=True)
    line = next(line for line in told.stdout.splitlines() if line.startswith("RESULT "))
    return Round(**json.loads(line.removeprefix("RESULT ")))


def request_bytes(party: Party, *, stream: bool = False) -> bytes:
    """One whole request."""
    body = body_for(party, stream=stream)
    own = "".join(f"{name}: {value}\r\n" for name, value in party.headers.items())
    head = f"POST {party.path} HTTP/1.1\r\nhost: 127.0.0.1:{party.port}\r\ncontent-type: application/json\r\n{own}"
    return head.encode() + b"content-length: %d\r\n\r\n%b" % (len(body), body)


@dataclass
class Heard:
    """What our own client heard; times in microseconds.

    Attributes:
        events: server-sent events.
        first_us: from asking to the first event, one per stream.
        gaps_us: between two events of one stream.
        waits_us: from when a request was due to its whole answer.
    """

    events: int = 0
    streams: int = 0
    faults: int = 0
    first_us: list[float] = field(default_factory=list)
    gaps_us: list[float] = field(default_factory=list)
    waits_us: list[float] = field(default_factory=list)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Let the client's own garbage collector rest: its pauses (20 ms) would be taken for those of whoever is asked."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Asker(asyncio.Protocol):
    """A connection that asks for one stream after another."""

    def __init__(self, request: bytes, heard: Heard, *, keeps_gaps: bool) -> None:
        self._request, self._heard, self._keeps_gaps = request, heard, keeps_gaps
        self._tail, self._asked_s, self._last_s, self.stopped = b"", 0.0, 0.0, False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked_s, self._last_s = time.perf_counter(), 0.0
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        events = data.count(b"data: {")
        now_s = time.perf_counter()
        if events:
            self._heard.events += events
            if not self._last_s:
                self._heard.first_us.append((now_s - self._asked_s) * 1e6)
            elif self._keeps_gaps:
                self._heard.gaps_us.append((now_s - self._last_s) * 1e6)
            self._last_s = now_s
        self._tail = (self._tail + data)[-64:]
        if self._tail.endswith(b"0\r\n\r\n"):
            self._heard.streams += 1
            self._heard.faults += b"[DONE]" not in self._tail
            self._tail = b""
            if self.stopped:
                self.ended.set_result(None)
            else:
                self._ask()


async def streams(party: Party, connections: int, seconds: float, *, keeps_gaps: bool = False) -> Heard:
    """Keep *connections* streams open for *seconds*, then let each come to its end."""
    loop, heard, request = asyncio.get_running_loop(), Heard(), request_bytes(party, stream=True)
    askers: list[_Asker] = []
    for _ in range(connections):
        _, asker = await loop.create_connection(
            lambda: _Asker(request, heard, keeps_gaps=keeps_gaps), "127.0.0.1", party.port
        )
        askers.append(asker)
    with _collector_at_rest():
        await asyncio.sleep(seconds)
        for asker in askers:
            asker.stopped = True
        _, late = await asyncio.wait([asker.ended for asker in askers], timeout=TIMEOUT_S)
    heard.faults += len(late)
    for asker in askers:
        asker.transport.abort()
    return heard


class _Steady(asyncio.Protocol):
    """A connection that answers come back on, one at a time."""

    def __init__(self) -> None:
        self.waiting: asyncio.Future[bool] | None = None
        self._seen = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, _, body = self._seen.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        whole = len(body) >= int(length) if length else body.endswith(b"0\r\n\r\n")
        if whole and self.waiting is not None:
            self.waiting.set_result(b" 200 " in head[:16])
            self.waiting, self._seen = None, b""


async def steady(party: Party, connections: int, rate: float, seconds: float) -> Heard:
    """Ask *rate* times a second over at most *connections* connections, however slowly answers come (an open loop)."""
    loop, heard, request = asyncio.get_running_loop(), Heard(), request_bytes(party)
    made = [await loop.create_connection(_Steady, "127.0.0.1", party.port) for _ in range(connections)]
    resting: asyncio.Queue[_Steady] = asyncio.Queue()
    for _, one in made:
        resting.put_nowait(one)

    def ended(one: _Steady, due_s: float, answer: asyncio.Future[bool]) -> None:
        heard.waits_us.append((time.perf_counter() - due_s) * 1e6)
        heard.faults += not answer.result()
        resting.put_nowait(one)

    with _collector_at_rest():
        began_s = time.perf_counter()
        for number in range(int(rate * seconds)):
            due_s = began_s + number / rate
            ahead_s = due_s - time.perf_counter()
            if ahead_s > 0.001 or number % 16 == 0:
                await asyncio.sleep(max(0.0, ahead_s))
            one = await resting.get()
            one.waiting = loop.create_future()
            one.waiting.add_done_callback(lambda answer, one=one, due_s=due_s: ended(one, due_s, answer))
            one.transport.write(request)
    for _ in range(connections):
        (await asyncio.wait_for(resting.get(), TIMEOUT_S)).transport.close()
    return heard
