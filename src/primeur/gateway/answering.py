"""How answers of the short way are written onto a connection; see `primeur.gateway.asker.Client`."""

from typing import Any

from primeur.core.caller import Caller
from primeur.core.chat import Ask
from primeur.core.errors import PrimeurError
from primeur.core.heads import header_lines
from primeur.core.statuses import status_of
from primeur.gateway.address import Address, Express
from primeur.gateway.bounded import BoundedProtocol
from primeur.gateway.measure import measure
from primeur.gateway.problems import problem
from primeur.walks.log_refusal import Arrival, log_refusal

_OK = b"HTTP/1.1 200 OK\r\n"
_WHOLE = b"%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
_QUICK = b"HTTP/1.1 200 OK\r\n%b%bx-request-id: %b\r\n" + _WHOLE.removeprefix(b"%b")
_STREAM = (
    b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n"
)


class AnsweringProtocol(BoundedProtocol):
    """One connection, the half of it that speaks."""

    express: Express

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn's."""
        super().__init__(*args, **kwargs)
        self._address: Address | None = None
        self._ask: Ask | None = None
        self._caller: Caller | None = None
        self._keep_alive = True
        self._arrived_us = 0

    @property
    def is_gone(self) -> bool:
        """See `Client`."""
        return self.transport.is_closing()

    def send_whole(self, lines: bytes, body: bytes) -> None:
        """See `Client`."""
        assert self._ask is not None and self._address is not None  # noqa: S101, PT018
        if self._keep_alive and self._address.face == "openai":
            defaults = self.express.default_lines(self.server_state.default_headers)
            self.transport.write(_QUICK % (defaults, lines, self._ask.id.encode(), len(body), body))
        else:
            self.transport.write(_WHOLE % (self._head(_OK, lines), len(body), body))
        self._over(200)

    def send_refusal(self, error: PrimeurError) -> None:
        """See `Client`."""
        assert self._ask is not None and self._caller is not None and self._address is not None  # noqa: S101, PT018
        answer = problem(error, self._address.face)
        ask = self._ask
        arrival = Arrival(ask.id, self._address.door.path, ask.arrived_ms, ask.arrived_us, ask.address)
        log_refusal(self.express.house, self._caller, arrival, error, status_of(error))
        lines = header_lines(answer.headers)
        head = self._head(b"HTTP/1.1 %d Refused\r\n" % answer.status, lines)
        self.transport.write(_WHOLE % (head, len(answer.body), answer.body))
        self._over(answer.status)

    def begin_stream(self, lines: bytes) -> None:
        """See `Client`."""
        self.transport.write(self._head(_OK, lines) + _STREAM)

    def send_piece(self, piece: bytes) -> None:
        """See `Client`."""
        self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def send_packet(self, packet: bytes) -> None:
        """See `Client`."""
        self.transport.write(packet)

    def end_stream(self, last: bytes) -> None:
        """See `Client`."""
        self.transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last))
        self._over(200)

    def _head(self, status: bytes, lines: bytes) -> bytes:
        assert self._ask is not None and self._address is not None  # noqa: S101, PT018
        request_id = self._ask.id.encode()
        defaults = self.express.default_lines(self.server_state.default_headers)
        head = b"%b%b%bx-request-id: %b\r\n" % (status, defaults, lines, request_id)
        if self._address.face == "azure":
            head += b"apim-request-id: %b\r\n" % request_id
        elif self._address.face == "anthropic":
            head += b"request-id: %b\r\n" % request_id
        return head if self._keep_alive else head + b"connection: close\r\n"

    def _over(self, status: int) -> None:
        """The answer has been sent."""
        raise NotImplementedError

    def _measure(self, status: int) -> None:
        if self._address is not None:
            measure(self._address.door, status, self.express.house.clock.monotonic_us() - self._arrived_us)
