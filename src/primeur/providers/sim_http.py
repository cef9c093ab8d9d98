"""A small HTTP/1.1 server on bare asyncio: what the simulator needs beyond a web server is to misbehave below HTTP.

It keeps connections open, answers one request after the other, waits when a client reads slowly, and can cut, reset or
leave a connection hanging.
"""

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl, unquote

import httptools

BODY_LIMIT = 16 << 20
_QUEUE_LIMIT = 64
_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    404: b"Not Found",
    405: b"Method Not Allowed",
    413: b"Content Too Large",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}
Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """One request, read to its end."""

    method: str = ""
    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


class Connection(asyncio.Protocol):
    """One client's connection, and the means to answer on it."""

    def __init__(
        self, answer: Callable[[Request, "Connection"], Awaitable[None]], open_ones: set["Connection"]
    ) -> None:
        """*answer* is awaited for each request in turn; *open_ones* holds every connection that is open."""
        self._answer = answer
        self._open_ones = open_ones
        self._parser = httptools.HttpRequestParser(self)
        self._request = Request()
        self._url = b""
        self._parts: list[bytes] = []
        self._size = 0
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport = cast("asyncio.Transport", None)

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._open_ones.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """Stop answering: nobody listens."""
        self._open_ones.discard(self)
        self._writable.set()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.whole(400, b'{"error":{"code":"400","message":"Bad request"}}', [(b"connection", b"close")])
            self._transport.close()

    def pause_writing(self) -> None:
        """Note that the client reads slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Note that the client has caught up."""
        self._writable.set()

    # What the parser tells.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._request, self._url, self._parts, self._size = Request(), b"", [], 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._request.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, up to the limit."""
        self._size += len(body)
        if self._size > BODY_LIMIT:
            self.whole(413, b'{"error":{"code":"413","message":"The body is too large"}}', [(b"connection", b"close")])
            self._transport.close()
            return
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """Queue the request; answer it when its turn comes."""
        url = httptools.parse_url(self._url)
        request = self._request
        request.method = self._parser.get_method().decode("latin-1")
        request.path = unquote((url.path or b"/").decode("latin-1"))
        request.query = dict(parse_qsl((url.query or b"").decode("latin-1")))
        request.body = b"".join(self._parts)
        self._waiting.append(request)
        if len(self._waiting) >= _QUEUE_LIMIT:
            self._transport.pause_reading()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer_all())

    async def _answer_all(self) -> None:
        try:
            while self._waiting and not self._transport.is_closing():
                await self._answer(self._waiting.popleft(), self)
        except Exception:
            self._transport.close()
            raise
        finally:
            self._task = None
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # How to answer.

    @property
    def gone(self) -> bool:
        """Whether the client has hung up."""
        return self._transport.is_closing()

    def head(self, status: int, headers: Headers) -> bytes:
        """Write a status line and headers."""
        lines = [b"HTTP/1.1 %d %s\r\n" % (status, _REASONS.get(status, b"Unknown"))]
        lines += [b"%s: %s\r\n" % header for header in headers]
        return b"".join(lines) + b"\r\n"

    def whole(self, status: int, body: bytes, headers: Headers | None = None, *, missing: int = 0) -> None:
        """Answer with a JSON body; *missing* bytes are promised and never sent."""
        framing = [(b"content-type", b"application/json"), (b"content-length", b"%d" % (len(body) + missing))]
        self._transport.write(self.head(status, framing + (headers or [])) + body)

    def start_stream(self, headers: Headers, length: int | None = None) -> None:
        """Begin a stream of events, chunked, or with the *length* it promises to have."""
        framing = (b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length)
        self._transport.write(
            self.head(200, [(b"content-type", b"text/event-stream; charset=utf-8"), framing, *headers])
        )

    async def send(self, data: bytes, *, chunked: bool = True) -> None:
        """Send a piece of a stream, waiting while the client reads slowly."""
        if data:
            self._transport.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
        if not self._writable.is_set():
            await self._writable.wait()

    def end_stream(self) -> None:
        """End a chunked stream."""
        self._transport.write(b"0\r\n\r\n")

    def close(self) -> None:
        """Close after what was written has left."""
        self._transport.close()

    def reset(self) -> None:
        """Cut the connection with a TCP reset, as a crashed server does."""
        linger = struct.pack("ii", 1, 0)
        sock = self._transport.get_extra_info("socket")
        with socket.socket(fileno=os.dup(sock.fileno())) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()

    async def hang(self) -> None:
        """Wait until the client gives up."""
        await asyncio.get_running_loop().create_future()
