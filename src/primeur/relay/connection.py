"""One HTTP/1.1 connection to a target: a request out, an answer in, bounded buffers both ways."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from primeur.core.errors import TargetFailed, TargetTimedOut

_HIGH_WATER = 256 * 1024

_HEAD_LIMIT = 64 * 1024


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; the pool reuses it when the answer was read to its end.

    Attributes:
        where: the target, as errors name it.
        fresh: no exchange has been carried yet.
        answered: a byte of the current answer has arrived.
    """

    def __init__(self, where: str, silence_timeout_s: float, on_lost: Callable[["Connection"], None]) -> None:
        """*silence_timeout_s*: seconds without a byte before an exchange fails."""
        self.where = where
        self.fresh = True
        self.answered = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.complete = False
        self.idle_since_s = 0.0
        self._silence_timeout_s = silence_timeout_s
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._head_seen = False
        self._head_bytes = 0
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._paused = False
        self._fault: TargetFailed | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._heard_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # --- the exchange ---------------------------------------------------------------------------------------------

    async def exchange(self, request: bytes) -> None:
        """Send *request* and wait for the head of the answer; `status` and `headers` are set then."""
        if self._transport is None:
            raise TargetFailed(f"{self.where} closed the connection")
        self._parser = httptools.HttpResponseParser(self)
        self.answered = self.complete = self._head_seen = False
        self.headers, self._head_bytes, self._fault = {}, 0, None
        self._heard_s = self._loop.time()
        self._watch()
        self._transport.write(request)
        while not self._head_seen:
            await self._more()
        self.fresh = False

    async def begin(self) -> None:
        """Wait until a piece of the body, or its end, is there."""
        while not self._pieces and not self.complete:
            await self._more()

    async def next_piece(self) -> bytes | None:
        """Give what has arrived of the body, or None at its end."""
        await self.begin()
        if not self._pieces:
            return None
        piece = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._buffered = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def close(self) -> None:
        """Cut the connection; a target that is still answering sees the hang-up at once."""
        self._stop_watching()
        if self._transport is not None:
            self._transport.abort()

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow."""
        return self.complete and self._transport is not None and self._parser is not None and self._keep_alive

    def rest(self) -> None:
        """Go back to the pool."""
        self._stop_watching()
        self.idle_since_s = self._loop.time()

    async def _more(self) -> None:
        if self._fault is not None:
            raise self._fault
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, fault: TargetFailed) -> None:
        if self._fault is None and not self.complete:
            self._fault = fault
        self._wake()

    # --- silence --------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._silence_timeout_s, self._look)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Re-arm a lazy timer: one per exchange instead of one per read."""
        self._timer = None
        left = self._heard_s + self._silence_timeout_s - self._loop.time()
        if self.complete:
            return
        if left > 0 or self._paused:
            self._timer = self._loop.call_later(max(left, 0.05), self._look)
            return
        self._fail(TargetTimedOut(f"{self.where} was silent for {self._silence_timeout_s:g} s"))

    # --- asyncio.Protocol -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; anything outside an exchange, or not HTTP, ends the connection."""
        self._heard_s = self._loop.time()
        if self._parser is None or self.complete:
            self.close()
            return
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
            return
        if self._buffered > _HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits; a body without a length ends here."""
        self._transport = None
        self._stop_watching()
        if self._head_seen and not self.complete and self._ends_with_connection and exc is None:
            self.complete = True
        self._fail(TargetFailed(f"{self.where} closed the connection before its answer was complete"))
        self._on_lost(self)

    # --- httptools callbacks --------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is whole."""
        assert self._parser is not None  # noqa: S101
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self._head_seen = True

    def on_body(self, body: bytes) -> None:
        """Keep a piece."""
        self._pieces.append(body)
        self._buffered += len(body)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._head_seen:
            assert self._parser is not None  # noqa: S101
            self._keep_alive = self._parser.should_keep_alive()
            self.complete = True

    _keep_alive = False

    @property
    def _ends_with_connection(self) -> bool:
        return b"content-length" not in self.headers and b"transfer-encoding" not in self.headers
