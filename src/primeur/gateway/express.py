"""The short way in: inference requests are answered inside the server's protocol, everything else by the application.

uvicorn parses HTTP as before. A request for an inference route with a known key and a whole body is handed to an
`Exchange`; when that declines, or for any other request, uvicorn's own machinery runs the ASGI application.
"""

import math
from http import HTTPStatus
from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask
from primeur.core.errors import BadRequest, PrimeurError
from primeur.gateway.address import Address, Express, Known
from primeur.gateway.answering import AnsweringProtocol
from primeur.gateway.bounded import BODY_TIMEOUT_S
from primeur.gateway.client import client_address, forwarded
from primeur.gateway.entry import key_in
from primeur.gateway.exchange import Exchange
from primeur.gateway.interpreter import Heard, Interpreter
from primeur.gateway.table import Table
from primeur.governance.rules import digest_key
from primeur.walks.house import House

_LATER_LIMIT = 256 * 1024


class ExpressProtocol(AnsweringProtocol):
    """One connection; a `primeur.gateway.asker.Client`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn's."""
        super().__init__(*args, **kwargs)
        self._said: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._whole: bytes | None = None
        self._exchange: Exchange | None = None
        self._later: list[bytes] = []
        self._later_size = 0
        self._known: Known | None = None
        # The packet that begins with a head, until that head is read; the one that an exchange began with.
        self._packet = self._unparsed = b""
        self._between = True
        self._declined = False

    # --- in -------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse; what comes while an exchange is under way waits for its end."""
        if self._exchange is not None:
            self._later.append(data)
            self._later_size += len(data)
            if self._later_size > _LATER_LIMIT:
                self.flow.pause_reading()
            return
        begins = self._between and not self._shut and not self._draining
        if begins and self._known is not None and self._start_known(self._known, data):
            return
        self._packet = data if begins else b""
        super().data_received(data)
        self._packet = b""
        if self._whole is not None:
            self._start(self._whole)

    def on_message_begin(self) -> None:
        """A request follows; one that still waits (both came in one packet) goes the long way."""
        if self._whole is not None:
            self._go_long_way(self._whole)
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Choose the way."""
        said = dict(self.headers)
        self.end_head(said)
        address = self.express.address(self.url) if self.parser.get_method() == b"POST" else None
        self._keep_alive = self.parser.should_keep_alive() and self.may_stay
        packet, self._packet = self._packet, b""
        declined, self._declined = self._declined, False
        if address is None or declined or self.expect_100_continue or not self._is_plain(address, said):
            self.go_long_way(keep_alive=self._keep_alive)
            return
        key = key_in(said)
        if packet and key is not None:
            head = packet[: packet.find(b"\r\n\r\n") + 4]
            self._known = self.express.remember(head, address, key, keep_alive=self.parser.should_keep_alive())
        self._address, self._said = address, said
        self._arrived_us = self.express.house.clock.monotonic_us()
        self.due_s = self.loop.time() + BODY_TIMEOUT_S

    def on_body(self, body: bytes) -> None:
        """Collect."""
        if self._address is None:
            super().on_body(body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._between = True
        if self._address is None:
            super().on_message_complete()
            return
        self.due_s = math.inf
        self._whole = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller hung up."""
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
        """The service stops: a request that has begun is finished, then the connection closes."""
        if self._address is None:
            super().shutdown()
        else:
            self._draining = True
            self._keep_alive = False

    @property
    def is_answering(self) -> bool:
        """Whether a request is under way, on either way."""
        return self._exchange is not None or super().is_answering

    def finish(self) -> None:
        """As above, on either way."""
        self._keep_alive = False
        super().finish()

    def overdue(self) -> None:
        """A body that was not complete in time is told so."""
        if self._address is not None and self._whole is None:
            words = f"the body was not complete within {BODY_TIMEOUT_S:g} s"
            self.refuse(BadRequest(words, code="timeout"), HTTPStatus.REQUEST_TIMEOUT)
            self._address = None
        else:
            super().overdue()

    def _is_plain(self, address: Address, said: dict[bytes, bytes]) -> bool:
        """Whether the body has a stated length within the door's limit, and nothing is being answered."""
        if self.is_answering:
            return False
        length = said.get(b"content-length", b"")
        return length.isdigit() and int(length) <= address.door.body_limit and self.parser.get_http_version() == "1.1"

    # --- the exchange ---------------------------------------------------------------------------------------------

    def _start_known(self, known: Known, data: bytes) -> bool:
        """Try the short way with a head that is known; False when the parser has to look at *data*."""
        body = known.mask.body_of(data)
        cycle = self.cycle
        if body is None or (cycle is not None and not cycle.response_complete):
            return False
        house = self.express.house
        caller = house.board.now.callers.get(known.digest)
        if caller is None or len(body) > known.address.door.body_limit:
            return False
        self._arrived_us = house.clock.monotonic_us()
        self._address, self._keep_alive = known.address, known.keep_alive and self.may_stay
        if not self._try(caller, body):
            self._address = None
            return False
        self._unparsed, self.due_s = data, math.inf
        return True

    def _try(self, caller: Caller, body: bytes) -> bool:
        """Begin an exchange; False when the long way has to be taken."""
        assert self._address is not None  # noqa: S101
        house = self.express.house
        now_ms = house.clock.now_ms()
        request_id = self.express.ids.make(now_ms)
        try:
            heard = self._address.hear(house, caller, body, request_id, now_ms)
        except (PrimeurError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        if heard is None or heard.fields.primeur is not None:
            return False
        ask = self._make_ask(self._address, heard, request_id, now_ms)
        if not caller.fits(self._address.word, ask.address):
            return False
        exchange = Exchange(house, caller, ask, self if heard.voice is None else Interpreter(self, heard.voice))
        if not exchange.start():
            return False
        house.board.used[caller.key_id] = ask.arrived_ms
        self._ask, self._caller, self._exchange = ask, caller, exchange
        return True

    def _start(self, body: bytes) -> None:
        """Try the short way."""
        house = self.express.house
        key = key_in(self._said)
        caller = house.board.now.callers.get(digest_key(key, house.place.pepper)) if key is not None else None
        if caller is None or not self._try(caller, body):
            self._go_long_way(body)

    def _caller_address(self) -> str:
        peer, trusted = self.client[0] if self.client else "", self.express.house.place.trusted_proxies
        if not trusted:
            return peer
        return client_address(peer, forwarded(self.headers), trusted)

    def _make_ask(self, address: Address, heard: Heard, request_id: str, now_ms: int) -> Ask:
        return Ask(
            id=request_id,
            route=address.route,
            body=heard.body,
            fields=heard.fields,
            arrived_ms=now_ms,
            arrived_us=self._arrived_us,
            address=self._caller_address(),
            affinity=heard.affinity,
        )

    def _go_long_way(self, body: bytes) -> None:
        """Let uvicorn run the application for the request whose head it has parsed."""
        self._address = self._whole = None
        # The parser has read on and no longer knows whether this request wanted the connection closed; we do.
        self.go_long_way(keep_alive=self._keep_alive)
        super().on_body(body)
        super().on_message_complete()

    # --- out (Client) ---------------------------------------------------------------------------------------------

    def take_long_way(self) -> None:
        """See `Client`."""
        self._exchange = None
        unparsed, self._unparsed = self._unparsed, b""
        if unparsed:
            # The parser has not seen this request yet; it sees it now, and is told where it leads.
            self._address, self._declined = None, True
            super().data_received(unparsed)
        else:
            self._go_long_way(self._whole or b"")
        self._feed_later()

    def drop(self) -> None:
        """See `Client`."""
        self._exchange = None
        self.transport.abort()

    def _over(self, status: int) -> None:
        """The answer has been sent: on to the next request, or close."""
        self._measure(status)
        self._exchange = self._address = self._whole = None
        self._unparsed = b""
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


def express_protocol(house: House, table: Table) -> type[ExpressProtocol]:
    """Make the protocol class that a uvicorn server of *house* is given."""

    class Protocol(ExpressProtocol):
        express = Express(house, table)

    return Protocol
