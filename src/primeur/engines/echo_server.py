"""The child process of the echo engine: a small HTTP server with an OpenAI face, and misbehaviour on request.

Run as ``python -m primeur.engines.echo_server SETTINGS`` by the engine host.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
import uvloop

from primeur.core.chat import Json
from primeur.core.errors import BadRequest
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.engines.child import Orders, fatal, read_orders, watch_owner
from primeur.engines.echo import EchoSettings
from primeur.engines.echo_answers import pieces, vectors, whole
from primeur.engines.echo_readings import Reading, read_chat, read_completion
from primeur.engines.echo_words import NO_WISHES, Wishes
from primeur.engines.http_face import Face, Load, Refused, Request

FOREVER_S = 3600.0
encode = msgspec.json.encode


@dataclass(slots=True)
class Room:
    """What all connections share.

    Attributes:
        ready_at_s: monotonic second from which it says that it is ready.
    """

    orders: Orders
    settings: EchoSettings
    ready_at_s: float


@dataclass(frozen=True, slots=True)
class Slow:
    """An answer that waits, streams or misbehaves."""

    reading: Reading | None
    wishes: Wishes
    delay_ms: int
    token_ms: int
    body: Callable[[], bytes]

    async def play(self, face: Face) -> None:
        """Give the answer over *face*."""
        if self.delay_ms:
            await asyncio.sleep(self.delay_ms / 1000)
        if self.wishes.status is not None:
            again = self.wishes.retry_after_ms
            face.send(Refused(self.wishes.status, "as wished"), f"retry-after-ms: {again}\r\n" if again else "")
        elif self.reading is None or not self.reading.ask.stream:
            await self.play_whole(face)
        else:
            await self.play_stream(face, self.reading)

    async def play_whole(self, face: Face) -> None:
        """Give the answer in one piece, or half of it when a cut was wished for."""
        body = b"this is not JSON" if self.wishes.garbage else self.body()
        if self.wishes.cut_after is None and self.wishes.stall_after is None:
            face.write_whole(200, body)
            return
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        await face.write(head.encode() + body[: len(body) // 2])
        await asyncio.sleep(0.02 if self.wishes.stall_after is None else FOREVER_S)
        face.hang_up()

    async def play_stream(self, face: Face, reading: Reading) -> None:
        """Give the answer as server-sent events."""
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        await face.write(head.encode())
        said = 0
        for piece in pieces(reading):
            if await self.misbehave(face, said):
                return
            await face.write(_chunk(b"data: " + encode(piece) + b"\n\n"))
            said += _says(piece)
            if self.token_ms:
                await asyncio.sleep(self.token_ms / 1000)
        if not self.wishes.no_done:
            await face.write(_chunk(b"data: [DONE]\n\n"))
        await face.write(b"0\r\n\r\n")

    async def misbehave(self, face: Face, said: int) -> bool:
        """Do what was wished for at this point; True when the answer is over."""
        wishes = self.wishes
        if wishes.stall_after == said:
            await asyncio.sleep(FOREVER_S)
        if wishes.malformed_after == said:
            await face.write(_chunk(b'data: {"choices": [{"delta": \n\n'))
        if wishes.cut_after == said:
            # What was written must be on its way before the connection is cut.
            await asyncio.sleep(0.02)
            face.hang_up()
            return True
        if wishes.error_after == said:
            error = {"message": "as wished", "type": "server_error", "code": "wished"}
            await face.write(_chunk(b"data: " + encode({"error": error}) + b"\n\n") + b"0\r\n\r\n")
            return True
        return False


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _says(piece: Json) -> bool:
    """Whether a chunk carries a token."""
    for choice in piece["choices"]:
        delta = choice.get("delta", choice)
        if delta.get("content") or delta.get("text") or any("id" not in c for c in delta.get("tool_calls", [])):
            return True
    return False


def respond(room: Room, request: Request) -> bytes | Slow:
    """Find what is asked for.

    Raises:
        Refused: wrong key, path, method or body.
    """
    if request.path == "/health":
        if time.monotonic() < room.ready_at_s:
            raise Refused(503, "loading")
        return b'{"status":"ok"}'
    if request.key != room.orders.key:
        raise Refused(401, "wrong key", "invalid_api_key")
    if request.path == "/v1/models" and request.method == "GET":
        return encode({"object": "list", "data": [{"id": "echo", "object": "model", "owned_by": "primeur"}]})
    answer = _ROUTES.get(request.path)
    if answer is None or request.method != "POST":
        raise Refused(404, f"there is no {request.method} {request.path}", "not_found")
    try:
        return answer(room, request.body)
    except BadRequest as error:
        raise Refused(400, error.message, error.code, error.param) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(400, f"the body cannot be read: {error}", "invalid_json") from None


def _chat(room: Room, body: bytes) -> bytes | Slow:
    ask = msgspec.json.decode(body, type=ChatRequest)
    return _answer(room, read_chat(ask, room.settings.context_tokens, _now_s()))


def _completion(room: Room, body: bytes) -> bytes | Slow:
    ask = msgspec.json.decode(body, type=CompletionRequest)
    return _answer(room, read_completion(ask, room.settings.context_tokens, _now_s()))


def _answer(room: Room, reading: Reading) -> bytes | Slow:
    wishes, settings = reading.wishes, room.settings
    delay_ms, token_ms = wishes.delay_ms or settings.delay_ms, wishes.token_ms or settings.token_ms
    if wishes == NO_WISHES and not reading.ask.stream and not delay_ms:
        return encode(whole(reading))
    return Slow(reading, wishes, delay_ms, token_ms, lambda: encode(whole(reading)))


def _embedding(room: Room, body: bytes) -> bytes | Slow:
    ask = msgspec.json.decode(body, type=EmbeddingRequest)
    answer, wishes = vectors(ask, room.settings.vector_size, room.settings.context_tokens)
    delay_ms = wishes.delay_ms or room.settings.delay_ms
    if wishes == NO_WISHES and not delay_ms:
        return encode(answer)
    return Slow(None, wishes, delay_ms, 0, lambda: encode(answer))


def _now_s() -> int:
    return time.time_ns() // 1_000_000_000


_ROUTES: dict[str, Callable[[Room, bytes], bytes | Slow]] = {
    "/v1/chat/completions": _chat,
    "/v1/completions": _completion,
    "/v1/embeddings": _embedding,
}


async def serve(orders: Orders, settings: EchoSettings) -> None:
    """Serve until told to end, then finish what is under way."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, told.set)
    room, load = Room(orders, settings, time.monotonic() + settings.load_ms / 1000), Load()
    await loop.create_server(lambda: Face(partial(respond, room), load), "127.0.0.1", orders.port, backlog=2048)
    await told.wait()
    for _ in range(int(orders.grace_s / 0.05)):
        if not load.busy:
            break
        await asyncio.sleep(0.05)


def main() -> None:
    """Read the orders and serve."""
    orders = read_orders()
    watch_owner(orders)
    try:
        settings = msgspec.json.decode(sys.argv[1].encode(), type=EchoSettings)
        uvloop.run(serve(orders, settings))
    except (IndexError, msgspec.DecodeError, OSError) as error:
        fatal(f"the echo engine did not start: {error}")


if __name__ == "__main__":
    main()
