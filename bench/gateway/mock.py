"""A fast upstream that speaks OpenAI's wire: uvloop and httptools, nothing else, so that it is not what is measured.

It listens on several ports, counts what it is asked, and is steered by ``GET /control/...``:
``/control/stream/EVENTS/PACE_US`` sets how streams come, ``/control/ids/PORT`` gives every ``x-request-id`` seen on a
port, one a line, and ``/control/forget`` forgets them.

Run: python -m bench.gateway.mock PORT...
"""

import asyncio
import gc
import sys
from collections import defaultdict
from pathlib import Path

import httptools
import uvloop

TEXT = "The river rises in the hills to the north, runs through two lakes, and reaches the sea after ninety miles. " * 4
WHOLE = (
    '{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench-upstream","choices":'
    '[{"index":0,"message":{"role":"assistant","content":"' + TEXT + '","refusal":null},"logprobs":null,'
    '"finish_reason":"stop"}],"usage":{"prompt_tokens":220,"completion_tokens":96,"total_tokens":316},'
    '"system_fingerprint":"fp_bench"}'
).encode()
_CHUNK = (
    '{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-upstream",'
    '"system_fingerprint":"fp_bench","choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]}'
)
_USAGE = (
    '{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-upstream",'
    '"choices":[],"usage":{"prompt_tokens":220,"completion_tokens":%d,"total_tokens":%d}}'
)


def _chunked(data: str) -> bytes:
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


def _answer(body: bytes, kind: bytes = b"application/json") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (kind, len(body), body)


_WHOLE = _answer(WHOLE)
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_FIRST = _chunked(_CHUNK % ('{"role":"assistant","content":""}', "null"))
_EVENT = _chunked(_CHUNK % ('{"content":" river"}', "null"))
_LAST = _chunked(_CHUNK % ("{}", '"stop"'))
_DONE = _chunked("[DONE]") + b"0\r\n\r\n"


class Desk:
    """What all connections share."""

    def __init__(self) -> None:
        """Streams of 200 events, 5 ms apart."""
        self.events, self.pace_s = 200, 0.005
        self.ids: dict[int, list[bytes]] = defaultdict(list)

    def control(self, url: bytes) -> bytes:
        """Do what a ``/control/...`` URL says."""
        _, _, verb, *rest = url.decode().split("/")
        if verb == "stream":
            self.events, self.pace_s = int(rest[0]), int(rest[1]) / 1e6
        elif verb == "forget":
            self.ids.clear()
        elif verb == "ids":
            return b"\n".join(self.ids[int(rest[0])])
        return b"ok"


class Upstream(asyncio.Protocol):
    """One connection."""

    def __init__(self, desk: Desk, port: int) -> None:
        """For *desk*."""
        self._desk, self._ids = desk, desk.ids[port]
        self._port = port
        self._parser = httptools.HttpRequestParser(self)
        self._url, self._body = b"", b""
        self._left = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the way out."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Parse; a request's id is found without looking at every header."""
        start = data.find(b"x-request-id: req_")
        if start >= 0:
            self._desk.ids[self._port].append(data[start + 14 : data.index(b"\r", start)])
        self._parser.feed_data(data)

    def connection_lost(self, _fault: Exception | None) -> None:
        """Say no more."""
        self._left = 0

    def on_url(self, url: bytes) -> None:
        """Keep it."""
        self._url, self._body = url, b""

    def on_body(self, body: bytes) -> None:
        """Collect it."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        if self._url.startswith(b"/control/"):
            self._transport.write(_answer(self._desk.control(self._url), b"text/plain"))
        elif b'"stream":true' in self._body or b'"stream": true' in self._body:
            self._left = self._desk.events
            self._transport.write(_STREAM_HEAD + _FIRST)
            asyncio.get_running_loop().call_later(self._desk.pace_s, self._more)
        else:
            self._transport.write(_WHOLE)

    def _more(self) -> None:
        if self._transport.is_closing():
            return
        if self._left > 0:
            self._left -= 1
            self._transport.write(_EVENT)
            asyncio.get_running_loop().call_later(self._desk.pace_s, self._more)
            return
        asked = b"include_usage" in self._body
        usage = _chunked(_USAGE % (self._desk.events, 220 + self._desk.events)) if asked else b""
        self._transport.write(_LAST + usage + _DONE)


async def main(ports: list[int]) -> None:
    """Serve until killed; nothing here makes circles, so the collector would only pause us."""
    gc.disable()
    loop, desk = asyncio.get_running_loop(), Desk()
    for port in ports:
        await loop.create_server(lambda port=port: Upstream(desk, port), "127.0.0.1", port, backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    Path("/proc/self/comm").write_text("bench-mock", "utf-8")
    uvloop.run(main([int(word) for word in sys.argv[1:]]))
