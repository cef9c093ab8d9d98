"""Who is at the other end of a connection: the peer, or whom a trusted proxy speaks for."""

from collections.abc import Iterable
from ipaddress import ip_address

from primeur.core.egress import Address, Network

_HOPS_LIMIT = 16


def client_address(peer: str, forwarded: bytes | None, trusted: tuple[Network, ...]) -> str:
    """Give the caller's IP address.

    From the last to the first, ``x-forwarded-for`` is believed for as long as trusted proxies wrote it; what an
    untrusted party says of itself is not looked at.

    Args:
        forwarded: the header's value; several headers joined by commas.
    """
    if not trusted or forwarded is None or not _is_trusted(peer, trusted):
        return peer
    address = peer
    for said in reversed(forwarded.decode("latin-1").split(",")[-_HOPS_LIMIT:]):
        found = _read(said)
        if found is None:
            break
        address = str(found)
        if not _is_trusted(address, trusted):
            break
    return address


def forwarded(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """Give all that ``x-forwarded-for`` says, in the order of its lines."""
    return b",".join(value for name, value in headers if name == b"x-forwarded-for") or None


def _read(said: str) -> Address | None:
    text = said.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    found = _read(address)
    return found is not None and any(found.version == one.version and found in one for one in trusted)
