"""What URLs lead to on the short way, worked out once per URL, and what all connections of one service share."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Route
from primeur.core.errors import PrimeurError
from primeur.core.heads import Mask, header_lines, mask_of
from primeur.core.ids import Mint
from primeur.core.wire import AnyRequest
from primeur.gateway.anthropic import messages
from primeur.gateway.anthropic_voice import hear_messages
from primeur.gateway.doors import Door
from primeur.gateway.interpreter import Hear, Heard
from primeur.gateway.openai import INFERENCE, with_deployment
from primeur.gateway.response_voice import hear_response
from primeur.gateway.responses import create_response
from primeur.gateway.table import Table
from primeur.gateway.visit import Face, Handler
from primeur.governance.key_scopes import route_of
from primeur.governance.rules import digest_key
from primeur.walks.house import House

_OTHERS: dict[Handler, Hear] = {messages: hear_messages, create_response: hear_response}
"""Routes whose requests are heard as chats."""

_ADDRESSES_LIMIT = 1024
_KNOWN_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL leads to, worked out once per URL.

    Attributes:
        hear: reads its bodies.
        word: see `primeur.governance.key_scopes`.
    """

    door: Door
    route: Route
    face: Face
    hear: Hear
    word: str


@dataclass(frozen=True, slots=True)
class Known:
    """A head that a strict parser has let pass, and what it said; whoever repeats it byte for byte says the same.

    Attributes:
        mask: the head, whatever its content-length.
        digest: of the key's text; who that is, and whether it still is, every request asks the snapshot.
        keep_alive: another request may follow.
    """

    mask: Mask
    address: Address
    digest: bytes
    keep_alive: bool


class Express:
    """What all connections of one service share."""

    def __init__(self, house: House, table: Table) -> None:
        """For *house*, whose doors are in *table*."""
        self.house = house
        self.ids = Mint("request", house.entropy)
        self._table = table
        self._addresses: dict[bytes, Address | None] = {}
        self._known: dict[bytes, Known] = {}
        self._defaults: tuple[object, bytes] = (None, b"")

    def address(self, url: bytes) -> Address | None:
        """Give what a posted *url* leads to; None when it is not for the short way."""
        if url in self._addresses:
            return self._addresses[url]
        if len(self._addresses) >= _ADDRESSES_LIMIT:
            self._addresses.clear()
        found = self._addresses[url] = self._find(url)
        return found

    def remember(self, head: bytes, address: Address, key: str, *, keep_alive: bool) -> Known | None:
        """Remember a head that has just passed; connections whose clients say the same share it."""
        mask = mask_of(head)
        if mask is None:
            return None
        known = self._known.get(mask.frame)
        if known is None:
            if len(self._known) >= _KNOWN_LIMIT:
                self._known.clear()
            digest = digest_key(key, self.house.place.pepper)
            known = self._known[mask.frame] = Known(mask, address, digest, keep_alive)
        return known

    def default_lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Give uvicorn's own headers as lines; it makes a new list of them every second, for the date."""
        known, lines = self._defaults
        if known is not headers:
            lines = header_lines(headers)
            self._defaults = (headers, lines)
        return lines

    def _find(self, url: bytes) -> Address | None:
        path, _, query = url.decode("latin-1").partition("?")
        try:
            found = self._table.find("POST", path, dict(parse_qsl(query)))
        except PrimeurError:
            return None
        if found.door is None:
            return None
        handler, name = found.door.handler, found.params.get("deployment")
        if handler in INFERENCE:
            route, kind = INFERENCE[handler]
            hear = _plainly(kind, unquote(name) if name is not None else None)
        elif handler in _OTHERS:
            route, hear = Route.CHAT, _OTHERS[handler]
        else:
            return None
        return Address(found.door, route, found.face, hear, route_of(found.door.path))


def _plainly(kind: type[AnyRequest], deployment: str | None) -> Hear:
    """For bodies in OpenAI's own words; *deployment*: the one that Azure's path names."""
    decoder = msgspec.json.Decoder(kind)

    def hear(_house: House, _caller: Caller, body: bytes, _request_id: str, _arrived_ms: int) -> Heard:
        if deployment is not None:
            body = with_deployment(body, deployment)
        return Heard(body, decoder.decode(body))

    return hear
