"""Two processes of one house on the two ends of a socket: each may call the other, and hears when the other is gone.

A frame is its length (32-bit little-endian) and msgpack: (kind, number, method, body).
"""

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import msgspec

Handler = Callable[["Peer", bytes], Awaitable[bytes]]

_CALL, _ANSWER, _FAULT = 0, 1, 2
_HEAD = struct.Struct("<I")
_FRAME_LIMIT = 64 << 20
_TIMEOUT_S = 5.0
_log = logging.getLogger("primeur.intercom")


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """What goes over the socket."""

    kind: int
    number: int
    method: str
    body: bytes


_decoder = msgspec.msgpack.Decoder(Frame)
_encoder = msgspec.msgpack.Encoder()


class Peer:
    """The other process, as seen from here.

    Attributes:
        name: how the other calls itself.
        gone: set when it has hung up.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handlers: Mapping[str, Handler],
        name: str = "",
    ) -> None:
        """*handlers*: what the other may call, by method."""
        self.name, self.gone = name, asyncio.Event()
        self._reader, self._writer, self._handlers = reader, writer, handlers
        self._calls: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0
        self._answering: set[asyncio.Task[None]] = set()
        self._listening = asyncio.create_task(self._listen())

    async def call(self, method: str, body: bytes = b"", *, timeout_s: float = _TIMEOUT_S) -> bytes:
        """Call the other and give its answer.

        Raises:
            ConnectionError: it is gone, does not answer in time, or failed; says so.
        """
        if self.gone.is_set():
            raise ConnectionError(f"{self.name or 'the other process'} is gone")
        self._number += 1
        number, future = self._number, asyncio.get_running_loop().create_future()
        self._calls[number] = future
        self._send(Frame(_CALL, number, method, body))
        try:
            async with asyncio.timeout(timeout_s):
                return bytes(await future)
        except TimeoutError:
            raise ConnectionError(f"{self.name or 'the other process'} did not answer {method!r} in time") from None
        finally:
            del self._calls[number]

    async def aclose(self) -> None:
        """Hang up."""
        self._listening.cancel()
        for task in (self._listening, *self._answering):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._hung_up()
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    def _send(self, frame: Frame) -> None:
        body = _encoder.encode(frame)
        self._writer.write(_HEAD.pack(len(body)) + body)

    async def _listen(self) -> None:
        try:
            while True:
                (length,) = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
                if length > _FRAME_LIMIT:
                    raise ConnectionError("a frame is too long")
                self._hear(_decoder.decode(await self._reader.readexactly(length)))
        except (asyncio.IncompleteReadError, OSError, msgspec.MsgspecError):
            self._hung_up()

    def _hear(self, frame: Frame) -> None:
        if frame.kind == _CALL:
            task = asyncio.get_running_loop().create_task(self._answer(frame))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
            return
        future = self._calls.get(frame.number)
        if future is None or future.done():
            return
        if frame.kind == _ANSWER:
            future.set_result(frame.body)
        else:
            future.set_exception(ConnectionError(frame.body.decode(errors="replace")))

    async def _answer(self, frame: Frame) -> None:
        handler = self._handlers.get(frame.method)
        try:
            if handler is None:
                raise ConnectionError(f"nobody answers {frame.method!r} here")  # noqa: TRY301 (told to the other)
            self._send(Frame(_ANSWER, frame.number, "", await handler(self, frame.body)))
        except Exception as error:  # noqa: BLE001 (the other is told, whatever it was)
            _log.warning("%s failed: %s", frame.method, error)
            self._send(Frame(_FAULT, frame.number, "", str(error).encode()))

    def _hung_up(self) -> None:
        self.gone.set()
        for future in self._calls.values():
            if not future.done():
                future.set_exception(ConnectionError(f"{self.name or 'the other process'} is gone"))
