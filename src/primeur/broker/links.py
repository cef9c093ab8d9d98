"""Links by which a holder answers one offer without a key: signed, for these terms, until a moment; pure.

Source: RFC 2104 (HMAC); the fields are signed together, so that none can be changed.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from primeur.core.errors import NotAuthenticated

_LABEL = b"capacity answer link"
_FORGED = "this link is forged or damaged; use the one that came with the notice, whole"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link lets its bearer do.

    Attributes:
        hash: of the terms that may be answered.
        expires_ms: UTC milliseconds; the offer's own deadline may come before.
    """

    offer: str
    hash: str
    expires_ms: int


def write_link(secret: bytes, link: Link) -> str:
    """Give the text of a link: its fields and their signature, both in url-safe base 64."""
    body = msgspec.json.encode(link)
    return f"{_text(body)}.{_text(_sign(secret, body))}"


def read_link(secret: bytes, text: str, now_ms: int) -> Link:
    """Give what a link's text says.

    Raises:
        NotAuthenticated: forged, damaged or too old.
    """
    body, _, signature = text.partition(".")
    try:
        said, signed = _bytes(body), _bytes(signature)
    except (Error, ValueError):
        raise NotAuthenticated(_FORGED, code="forged_link") from None
    if not hmac.compare_digest(signed, _sign(secret, said)):
        raise NotAuthenticated(_FORGED, code="forged_link")
    link = msgspec.json.decode(said, type=Link)
    if link.expires_ms <= now_ms:
        raise NotAuthenticated(f"this link ended at {link.expires_ms} ms UTC; ask for a new one", code="link_expired")
    return link


def _sign(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(hmac.digest(secret, _LABEL, sha256), body, sha256)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
