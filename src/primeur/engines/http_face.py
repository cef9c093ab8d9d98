"""The HTTP of our own engine processes: keep-alive connections, whole requests in, answers or streams out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, cast

import msgspec

MAX_BODY_BYTES = 64 << 20
MAX_HEAD_BYTES = 64 << 10


@dataclass(slots=True)
class Load:
    """Requests under way."""

    busy: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, whole."""

    method: str
    path: str
    key: str
    body: bytes


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        """Keep what goes into the error's body."""
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param


class Slow(Protocol):
    """An answer that waits, streams or misbehaves."""

    async def play(self, face: "Face", /) -> None:
        """Give the answer over *face*.

        Raises:
            Refused: it is an error after all.
        """
        ...


Respond = Callable[[Request], bytes | Slow]


class Face(asyncio.Protocol):
    """One connection: requests one after the other; an answer without waits is given at once, without a task."""

    def __init__(self, respond: Respond, load: Load) -> None:
        """Answer by *respond*; *load* counts the requests under way."""
        self.respond, self.load = respond, load
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None
        self.task: asyncio.Task[None] | None = None
        self.drained = asyncio.Event()
        self.drained.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports do not inherit from asyncio's.
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's own signature
        """End the work of a caller who hung up."""
        self.transport = None
        if self.task is not None:
            self.task.cancel()

    def pause_writing(self) -> None:
        """Hold a stream back."""
        self.drained.clear()

    def resume_writing(self) -> None:
        """Let a stream go on."""
        self.drained.set()

    def data_received(self, data: bytes) -> None:
        """Answer every whole request that is there."""
        self.buffer += data
        while self.task is None and self.transport is not None:
            request = self.next_request()
            if request is None:
                return
            self.answer(request)

    def next_request(self) -> Request | None:
        """Take one whole request out of the buffer."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MAX_HEAD_BYTES:
                self.hang_up()
            return None
        first, *lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length") or 0)
        if length > MAX_BODY_BYTES or "transfer-encoding" in headers:
            self.send(Refused(413, "the body must have a length of at most 64 MiB"))
            self.hang_up()
            return None
        if len(self.buffer) < end + 4 + length:
            return None
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        method, path, *_ = [*first.split(" "), ""]
        return Request(method, path.partition("?")[0], headers.get("authorization", "").removeprefix("Bearer "), body)

    def answer(self, request: Request) -> None:
        """Answer at once, or begin a task that does."""
        try:
            reply = self.respond(request)
        except Refused as refused:
            self.send(refused)
            return
        if isinstance(reply, bytes):
            self.write_whole(200, reply)
            return
        self.task = asyncio.get_running_loop().create_task(self.work(reply))

    async def work(self, reply: Slow) -> None:
        """Play a slow answer, then go on with what was received meanwhile."""
        self.load.busy += 1
        try:
            await reply.play(self)
        except Refused as refused:
            self.send(refused)
        finally:
            self.load.busy -= 1
            self.task = None
        if self.transport is not None:
            self.data_received(b"")

    def send(self, refused: Refused, headers: str = "") -> None:
        """Send an error."""
        error = {"message": refused.message, "param": refused.param, "code": refused.code}
        error["type"] = "invalid_request_error" if refused.status < 500 else "server_error"
        self.write_whole(refused.status, msgspec.json.encode({"error": error}), headers)

    def write_whole(self, status: int, body: bytes, headers: str = "") -> None:
        """Send a whole answer."""
        if self.transport is not None:
            phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Other"
            head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\n{headers}"
            self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    async def write(self, data: bytes) -> None:
        """Send a part of an answer, no faster than it is read."""
        await self.drained.wait()
        if self.transport is None:
            raise asyncio.CancelledError
        self.transport.write(data)

    def hang_up(self) -> None:
        """Cut the connection in the middle."""
        if self.transport is not None:
            self.transport.abort()
            self.transport = None
