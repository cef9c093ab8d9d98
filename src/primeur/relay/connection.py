"""One HTTP/1.1 connection to a target: a request goes out, the answer is told to a sink piece by piece."""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from primeur.core.errors import TargetFailed, TargetTimedOut
from primeur.core.ports import Sink

_HEAD_LIMIT = 64 * 1024


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; the pool reuses it when the answer came to its end.

    Attributes:
        where: the target, as errors name it.
        fresh: no exchange has been carried to its end yet.
        answered: a byte of the current answer has arrived.
        complete: the current answer is whole.
    """

    def __init__(self, where: str, silence_timeout_s: float, on_lost: Callable[["Connection"], None]) -> None:
        """*silence_timeout_s*: seconds without a byte before an exchange fails."""
        self.where = where
        self.fresh = True
        self.answered = False
        self.complete = False
        self.idle_since_s = 0.0
        self._silence_timeout_s = silence_timeout_s
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._sink: Sink | None = None
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = 0
        self._head_seen = False
        self._keep_alive = False
        self._paused = False
        self._heard_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # --- for whoever carries an exchange --------------------------------------------------------------------------

    def start(self, request: bytes, sink: Sink) -> None:
        """Send *request*; its answer is told to *sink*.

        Raises:
            TargetFailed: the connection is closed.
        """
        if self._transport is None:
            raise TargetFailed(f"{self.where} closed the connection")
        if self._parser is None:
            # One parser for all answers of a connection that is kept open: they follow each other in one stream.
            self._parser = httptools.HttpResponseParser(self)
        self._sink, self._headers, self._head_bytes = sink, {}, 0
        self.answered = self.complete = self._head_seen = False
        self._heard_s = self._loop.time()
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
            self._heard_s = self._loop.time()
            self._transport.resume_reading()

    def close(self) -> None:
        """Cut the connection; a target that is still answering sees the hang-up at once."""
        self._sink = None
        self._stop_watching()
        if self._transport is not None:
            self._transport.abort()

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow."""
        return self.complete and self._transport is not None and self._keep_alive

    def rest(self, now_s: float) -> None:
        """Go back to the pool at *now_s* of the loop's clock; a lazy timer may stay armed and will find us at rest."""
        self.resume()
        self.fresh = False
        self._sink = None
        self.idle_since_s = now_s

    # --- silence --------------------------------------------------------------------------------------------------

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Re-arm a lazy timer: one now and then instead of one per read."""
        self._timer = None
        if self._sink is None or self.complete:
            return
        left_s = self._heard_s + self._silence_timeout_s - self._loop.time()
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
        """Feed the parser; anything outside an exchange, or not HTTP, ends the connection."""
        if self._sink is None or self._parser is None or self.complete:
            self.close()
            return
        self._heard_s = self._loop.time()
        self.answered = True
        if not self._head_seen:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(TargetFailed(f"{self.where} does not speak HTTP: {error}"))
            self.close()
            return
        if not self._head_seen and self._head_bytes > _HEAD_LIMIT:
            self._fail(TargetFailed(f"{self.where} sent a head of more than {_HEAD_LIMIT} bytes"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits; a body without a length ends here."""
        self._transport = None
        self._stop_watching()
        measured = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        if self._head_seen and not self.complete and not measured and exc is None:
            self._end()
        self._fail(TargetFailed(f"{self.where} closed the connection before its answer was complete"))
        self._on_lost(self)

    # --- httptools callbacks --------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is whole, unless it was an interim answer."""
        assert self._parser is not None  # noqa: S101
        status = self._parser.get_status_code()
        if status >= 200 and self._sink is not None:
            self._head_seen = True
            self._sink.on_head(status, self._headers)

    def on_body(self, body: bytes) -> None:
        """Pass a piece on."""
        if self._sink is not None:
            self._sink.on_piece(body)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was an interim one."""
        if self._head_seen:
            assert self._parser is not None  # noqa: S101
            self._keep_alive = self._parser.should_keep_alive()
            self._end()

    def _end(self) -> None:
        self.complete = True
        if self._sink is not None:
            self._sink.on_end()
