"""One HTTP/1.1 connection to a target: a request goes out, the answer is told to a sink piece by piece."""

import asyncio
from collections.abc import Callable
from typing import cast

from primeur.core.errors import TargetFailed, TargetStale, TargetTimedOut
from primeur.core.heads import Mask, mask_of
from primeur.core.ports import Sink
from primeur.relay.chunks import ChunkReader
from primeur.relay.head import HEAD_LIMIT, Head, parse_head

Told = Callable[["Connection"], None]
_LIFE_S = 3600.0


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; implements `primeur.core.ports.Line` while it does.

    Attributes:
        where: the target, as errors name it.
        dies_s: the loop's time after which it carries nothing new.
        fresh: no exchange has been carried to its end yet.
        answered: a byte of the current answer has arrived.
        complete: the current answer is whole.
        streamed: the newest answer came in chunks.
        hung_up: it was closed from here.
        heard_s, idle_since_s: the loop's time of the last byte, and of that before it last went to rest.
    """

    def __init__(self, where: str, silence_timeout_s: float, on_free: Told, on_lost: Told) -> None:
        """Give it its place.

        Args:
            silence_timeout_s: seconds without a byte before an exchange fails.
            on_free: told when an answer is whole, before its sink is.
        """
        self.where = where
        self.fresh = True
        self.answered = False
        self.complete = False
        self.streamed = False
        self.hung_up = False
        self.idle_since_s = 0.0
        self._silence_timeout_s = silence_timeout_s
        self._on_free, self._on_lost = on_free, on_lost
        self._loop = asyncio.get_running_loop()
        self.dies_s = self._loop.time() + _LIFE_S
        self._transport: asyncio.Transport | None = None
        self._sink: Sink | None = None
        self._head: Head | None = None
        self._seen = b""
        self._chunks: ChunkReader | None = None
        self._left = 0
        self._mask: Mask | None = None
        self._masked: dict[bytes, bytes] = {}
        self._paused = False
        self.heard_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # --- for whoever carries an exchange --------------------------------------------------------------------------

    def start(self, request: bytes, sink: Sink) -> None:
        """Send *request*; its answer is told to *sink*.

        Raises:
            TargetStale: the connection is closed.
        """
        if self._transport is None:
            raise TargetStale(f"{self.where} closed the connection")
        self._sink, self._head, self._chunks = sink, None, None
        self.answered = self.complete = False
        self.heard_s = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._silence_timeout_s, self._look)
        self._transport.write(request)

    def pause(self) -> None:
        """Read no more until `resume`; the target is held back by TCP."""
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on reading."""
        if self._paused and self._transport is not None:
            self._paused = False
            self.heard_s = self._loop.time()
            self._transport.resume_reading()

    def close(self) -> None:
        """Cut the connection; a target that is still answering sees the hang-up at once."""
        self._sink = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self.hung_up = True
            self._transport.abort()

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow."""
        return self.complete and self._transport is not None and self._head is not None and self._head.keep_alive

    @property
    def is_open(self) -> bool:
        """Whether the target has not closed it while it was at rest."""
        return self._transport is not None

    def rest(self) -> None:
        """Go back to the pool, as of the last byte; a lazy timer may stay armed and will find us at rest."""
        if self._paused:
            self.resume()
        self.fresh = False
        self.idle_since_s = self.heard_s

    # --- silence --------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Re-arm a lazy timer: one now and then instead of one per read."""
        self._timer = None
        if self._sink is None or self.complete:
            return
        left_s = self.heard_s + self._silence_timeout_s - self._loop.time()
        if left_s > 0 or self._paused:
            self._timer = self._loop.call_later(max(left_s, 0.05), self._look)
            return
        self._fail(TargetTimedOut(f"{self.where} was silent for {self._silence_timeout_s:g} s"))

    def _fail(self, fault: TargetFailed) -> None:
        sink, self._sink = self._sink, None
        if sink is not None and not self.complete:
            sink.on_fault(fault)

    # --- asyncio.Protocol -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read the answer; anything outside an exchange, or not HTTP, ends the connection."""
        if self._sink is None:
            self.close()
            return
        self.heard_s = self._loop.time()
        chunks = self._chunks
        if chunks is not None and chunks.between and self._sink.on_packet(data):
            return
        if not self.answered:
            self.answered = True
            body = self._mask.body_of(data) if self._mask is not None else None
            if body is not None:
                self._whole(body)
                return
            self._seen = b""
        try:
            if self._head is None:
                self._read_head(data)
            else:
                self._read_body(data)
        except TargetFailed as fault:
            self._fail(fault)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits; a body without a length ends here."""
        self._transport = None
        head = self._head
        if head is not None and head.length is None and not head.chunked and exc is None and self._sink is not None:
            self._end()
        kind = TargetFailed if self.fresh or self.answered else TargetStale
        self._fail(kind(f"{self.where} closed the connection before its answer was complete"))
        self.close()
        self._on_lost(self)

    # --- the answer -----------------------------------------------------------------------------------------------

    def _whole(self, body: bytes) -> None:
        """A head that is known, and its whole body, in one packet."""
        assert self._sink is not None  # noqa: S101
        # The head in force is that of an earlier answer with the same bytes but for the length.
        self._head, self.streamed = _MASKED, False
        sink = self._free()
        sink.on_whole(200, self._masked, body)

    def _read_head(self, data: bytes) -> None:
        self._seen = data = self._seen + data if self._seen else data
        cut = data.find(b"\r\n\r\n") + 4
        if cut < 4 or cut > HEAD_LIMIT:
            if len(data) > HEAD_LIMIT:
                raise TargetFailed(f"{self.where} sent a head of more than {HEAD_LIMIT} bytes")
            if not b"HTTP/1.1"[: len(data)].startswith(data[:7]):
                raise TargetFailed(f"{self.where} does not speak HTTP")
            return
        head, rest = parse_head(data[:cut], self.where), data[cut:]
        self._seen = b""
        if head.is_interim:
            if rest:
                self._read_head(rest)
            return
        self._head, self._left = head, head.length or 0
        self._chunks = ChunkReader() if head.chunked else None
        self.streamed = head.chunked
        if head.status == 200 and head.keep_alive and self._mask is None:
            self._mask = mask_of(data[:cut])
            self._masked = {name: value for name, value in head.headers.items() if name != b"content-length"}
        assert self._sink is not None  # noqa: S101
        self._sink.on_head(head.status, head.headers)
        if rest or head.length == 0:
            self._read_body(rest)

    def _read_body(self, data: bytes) -> None:
        chunks, head, sink = self._chunks, self._head, self._sink
        if sink is None or head is None:
            return
        if chunks is not None:
            data = chunks.feed(data)
            ended, surplus = chunks.ended, bool(chunks.surplus)
        else:
            self._left -= len(data)
            ended, surplus = head.length is not None and self._left <= 0, head.length is not None and self._left < 0
        if surplus:
            raise TargetFailed(f"{self.where} sent more than its answer")
        if data:
            sink.on_piece(data)
        if ended and self._sink is not None:
            self._end()

    def _end(self) -> None:
        self._free().on_end()

    def _free(self) -> Sink:
        """The answer is whole: the connection is free before its sink may ask for the next one."""
        sink, self._sink = self._sink, None
        assert sink is not None  # noqa: S101
        self.complete = True
        self._on_free(self)
        return sink


_MASKED = Head(200, {}, keep_alive=True, chunked=False, length=None)
