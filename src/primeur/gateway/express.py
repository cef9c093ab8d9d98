"""The short way in: inference requests are answered inside the server's protocol, everything else by the application.

uvicorn parses HTTP as before. A request for an inference route with a known key and a whole body is handed to an
`Exchange`; when that declines, or for any other request, uvicorn's own machinery runs the ASGI application.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Route
from primeur.core.errors import BadRequest, PrimeurError
from primeur.core.ids import make_id
from primeur.core.statuses import status_of
from primeur.core.wire import AnyRequest
from primeur.gateway.bounded import BoundedProtocol
from primeur.gateway.doors import Door
from primeur.gateway.entry import key_in
from primeur.gateway.exchange import Exchange
from primeur.gateway.measure import measure
from primeur.gateway.openai import INFERENCE, with_deployment
from primeur.gateway.problems import problem
from primeur.gateway.table import Table
from primeur.gateway.visit import Face, Headers
from primeur.governance.rules import digest_key
from primeur.walks.house import House
from primeur.walks.log_refusal import Arrival, log_refusal

_ADDRESSES_LIMIT = 1024
_BODY_TIMEOUT_S = 60.0
_LATER_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Address:
    """What a URL leads to, worked out once per URL."""

    door: Door
    route: Route
    face: Face
    deployment: str | None
    decoder: msgspec.json.Decoder[AnyRequest]


class Express:
    """What all connections of one service share."""

    def __init__(self, house: House, table: Table) -> None:
        """For *house*, whose doors are in *table*."""
        self.house = house
        self._table = table
        self._addresses: dict[bytes, _Address | None] = {}

    def address(self, url: bytes) -> _Address | None:
        """Give what a posted *url* leads to; None when it is not for the short way."""
        if url in self._addresses:
            return self._addresses[url]
        if len(self._addresses) >= _ADDRESSES_LIMIT:
            self._addresses.clear()
        found = self._addresses[url] = self._find(url)
        return found

    def _find(self, url: bytes) -> _Address | None:
        path, _, query = url.decode("latin-1").partition("?")
        try:
            found = self._table.find("POST", path, dict(parse_qsl(query)))
        except PrimeurError:
            return None
        if found.door is None or found.door.handler not in INFERENCE:
            return None
        route, kind = INFERENCE[found.door.handler]
        name = found.params.get("deployment")
        return _Address(
            found.door, route, found.face, unquote(name) if name is not None else None, msgspec.json.Decoder(kind)
        )


class ExpressProtocol(BoundedProtocol):
    """One connection; a `primeur.gateway.exchange.Client`."""

    express: Express

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn's."""
        super().__init__(*args, **kwargs)
        self._address: _Address | None = None
        self._body: list[bytes] = []
        self._whole: bytes | None = None
        self._exchange: Exchange | None = None
        self._later: list[bytes] = []
        self._later_size = 0
        self._keep_alive = True
        self._body_timer: asyncio.TimerHandle | None = None
        self._ask: Ask | None = None
        self._caller: Caller | None = None
        self._arrived_us = 0

    # --- in -------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse; what comes while an exchange is under way waits for its end."""
        if self._exchange is not None:
            self._later.append(data)
            self._later_size += len(data)
            if self._later_size > _LATER_LIMIT:
                self.flow.pause_reading()
            return
        super().data_received(data)
        if self._whole is not None:
            self._start(self._whole)

    def on_message_begin(self) -> None:
        """A request follows; one that still waits (both came in one packet) goes the long way."""
        if self._whole is not None:
            self._go_long_way(self._whole)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Choose the way."""
        address = self.express.address(self.url) if self.parser.get_method() == b"POST" else None
        if address is None or self.expect_100_continue or not self._is_plain(address):
            super().on_headers_complete()
            return
        self.end_head()
        self._address = address
        self._keep_alive = self.parser.should_keep_alive()
        self._arrived_us = self.express.house.clock.monotonic_us()
        self._body_timer = self.loop.call_later(_BODY_TIMEOUT_S, self._body_timed_out)

    def on_body(self, body: bytes) -> None:
        """Collect."""
        if self._address is None:
            super().on_body(body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._address is None:
            super().on_message_complete()
            return
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None
        self._whole = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller hung up."""
        if self._body_timer is not None:
            self._body_timer.cancel()
        if self._exchange is not None:
            exchange, self._exchange = self._exchange, None
            exchange.hang_up()
            self._measure(499)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The caller reads slowly."""
        super().pause_writing()
        if self._exchange is not None:
            self._exchange.pause()

    def resume_writing(self) -> None:
        """The caller reads again."""
        super().resume_writing()
        if self._exchange is not None:
            self._exchange.resume()

    def shutdown(self) -> None:
        """The service stops: finish what is under way, then close."""
        if self._exchange is None and self._address is None:
            super().shutdown()
        else:
            self._keep_alive = False

    def _body_timed_out(self) -> None:
        words = f"the body was not complete within {_BODY_TIMEOUT_S:g} s"
        self.refuse(BadRequest(words, code="timeout"), HTTPStatus.REQUEST_TIMEOUT)

    def _is_plain(self, address: _Address) -> bool:
        """Whether the body has a stated length within the door's limit, and nothing is being answered."""
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        return length.isdigit() and int(length) <= address.door.body_limit and self.parser.get_http_version() == "1.1"

    # --- the exchange ---------------------------------------------------------------------------------------------

    def _start(self, body: bytes) -> None:
        """Try the short way."""
        house, address = self.express.house, self._address
        assert address is not None  # noqa: S101
        key = key_in(dict(self.headers))
        now_ms = house.clock.now_ms()
        caller = house.board.now.callers.get(digest_key(key, house.place.pepper)) if key is not None else None
        if caller is None:
            self._go_long_way(body)
            return
        try:
            ask = self._make_ask(address, body, now_ms)
        except (PrimeurError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._go_long_way(body)
            return
        self._ask, self._caller = ask, caller
        exchange = Exchange(house, caller, ask, self)
        if not exchange.start():
            self._go_long_way(body)
            return
        self._exchange = exchange
        self._unset_keepalive_if_required()

    def _make_ask(self, address: _Address, body: bytes, now_ms: int) -> Ask:
        body = with_deployment(body, address.deployment)
        house = self.express.house
        return Ask(
            id=make_id("request", now_ms, house.entropy),
            route=address.route,
            body=body,
            fields=address.decoder.decode(body),
            arrived_ms=now_ms,
            arrived_us=self._arrived_us,
            address=self.client[0] if self.client else "",
        )

    def _go_long_way(self, body: bytes) -> None:
        """Let uvicorn run the application for the request whose head it has parsed."""
        self._address = self._whole = None
        super().on_headers_complete()
        # The parser has read on and no longer knows whether this request wanted the connection closed.
        self.cycle.keep_alive = self._keep_alive
        super().on_body(body)
        super().on_message_complete()

    # --- out (Client) ---------------------------------------------------------------------------------------------

    def take_long_way(self) -> None:
        """See `Client`."""
        body, self._exchange = self._whole or b"", None
        self._go_long_way(body)
        self._feed_later()

    def send_whole(self, headers: Headers, body: bytes) -> None:
        """See `Client`."""
        self._send_whole(b"HTTP/1.1 200 OK\r\n", headers, body)
        self._over(200)

    def send_refusal(self, error: PrimeurError) -> None:
        """See `Client`."""
        assert self._ask is not None and self._caller is not None and self._address is not None  # noqa: S101, PT018
        answer = problem(error, self._address.face)
        ask = self._ask
        arrival = Arrival(ask.id, self._address.door.path, ask.arrived_ms, ask.arrived_us, ask.address)
        log_refusal(self.express.house, self._caller, arrival, error, status_of(error))
        self._send_whole(b"HTTP/1.1 %d Refused\r\n" % answer.status, answer.headers, answer.body)
        self._over(answer.status)

    def begin_stream(self, headers: Headers) -> None:
        """See `Client`."""
        kind = b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
        length = b"x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n"
        self.transport.write(self._head(b"HTTP/1.1 200 OK\r\n", headers) + kind + length + b"\r\n")

    def send_piece(self, piece: bytes) -> None:
        """See `Client`."""
        self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end_stream(self, last: bytes) -> None:
        """See `Client`."""
        self.transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last))
        self._over(200)

    def drop(self) -> None:
        """See `Client`."""
        self._exchange = None
        self.transport.abort()

    def _send_whole(self, status: bytes, headers: Headers, body: bytes) -> None:
        length = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(self._head(status, headers) + length + body)

    def _head(self, status: bytes, headers: Headers) -> bytes:
        assert self._ask is not None and self._address is not None  # noqa: S101, PT018
        lines = [status]
        lines.extend(b"%b: %b\r\n" % pair for pair in self.server_state.default_headers)
        lines.extend(b"%b: %b\r\n" % pair for pair in headers)
        request_id = self._ask.id.encode()
        lines.append(b"x-request-id: %b\r\n" % request_id)
        if self._address.face == "azure":
            lines.append(b"apim-request-id: %b\r\n" % request_id)
        if not self._keep_alive:
            lines.append(b"connection: close\r\n")
        return b"".join(lines)

    def _over(self, status: int) -> None:
        """The answer has been sent: on to the next request, or close."""
        self._measure(status)
        self._exchange = self._address = self._whole = None
        if not self._keep_alive:
            self.transport.close()
        self.on_response_complete()
        if self._later:
            self.loop.call_soon(self._feed_later)

    def _feed_later(self) -> None:
        data, self._later, self._later_size = b"".join(self._later), [], 0
        if data and not self.transport.is_closing():
            self.flow.resume_reading()
            self.data_received(data)

    def _measure(self, status: int) -> None:
        if self._address is not None:
            measure(self._address.door, status, self.express.house.clock.monotonic_us() - self._arrived_us)


def express_protocol(house: House, table: Table) -> type[ExpressProtocol]:
    """Make the protocol class that a uvicorn server of *house* is given."""

    class Protocol(ExpressProtocol):
        express = Express(house, table)

    return Protocol
