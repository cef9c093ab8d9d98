"""Errands: single requests to addresses that somebody else chose; judged, bounded, and nothing kept open."""

import asyncio
import ssl
from collections.abc import Sequence
from urllib.parse import urljoin

from primeur.core.chat import Endpoint
from primeur.core.egress import Egress, Place, read_url
from primeur.core.errors import TargetFailed, TargetTimedOut
from primeur.core.ports import Fetched
from primeur.relay.pool import Pool

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_LIMIT = 5
_CREDENTIALS = frozenset({b"authorization", b"cookie", b"proxy-authorization"})
_AT_ONCE = 32

_Headers = Sequence[tuple[bytes, bytes]]


class PooledErrands:
    """Implements `primeur.core.ports.Errands`; each errand opens its own connections and closes them."""

    def __init__(self, egress: Egress, tls: ssl.SSLContext | None = None) -> None:
        """*egress*: what may be reached; *tls*: how certificates are checked, the system's authorities by default."""
        self._egress = egress
        self._tls = tls
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def run(  # noqa: PLR0913 (the port's signature)
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: _Headers = (),
        *,
        timeout_s: float = 10.0,
        limit_bytes: int = 1 << 20,
        redirects: int = 0,
    ) -> Fetched:
        """See the port."""
        place = read_url(url)
        pool = Pool(self._context(place), self._egress)
        try:
            async with asyncio.timeout(timeout_s), self._turns:
                found = await _once(pool, place, method, body, headers, timeout_s, limit_bytes)
                for _ in range(min(redirects, _REDIRECTS_LIMIT) if method == "GET" else 0):
                    if found.status not in _REDIRECTS or b"location" not in found.headers:
                        break
                    url = urljoin(url, found.headers[b"location"].decode("latin-1"))
                    place, headers = _onward(place, url, headers)
                    found = await _once(pool, place, method, body, headers, timeout_s, limit_bytes)
        except TimeoutError:
            raise TargetTimedOut(f"{place.host}:{place.port} did not answer wholly in {timeout_s:g} s") from None
        finally:
            await pool.aclose()
        if redirects and method == "GET" and found.status in _REDIRECTS:
            raise TargetFailed(f"{url!r} redirects once too often")
        return found

    def _context(self, place: Place) -> ssl.SSLContext | None:
        if self._tls is None and place.scheme == "https":
            self._tls = ssl.create_default_context()
        return self._tls


def _onward(place: Place, url: str, headers: _Headers) -> tuple[Place, _Headers]:
    """Where a redirect leads; credentials are for the first host, and nothing goes from https to http."""
    onward = read_url(url)
    if place.scheme == "https" and onward.scheme != "https":
        raise TargetFailed(f"{place.host} redirects from https to plain http; that is not followed")
    if (onward.host, onward.port) != (place.host, place.port):
        headers = [pair for pair in headers if pair[0].lower() not in _CREDENTIALS]
    return onward, headers


async def _once(  # noqa: PLR0913, PLR0917 (all that one exchange is made of)
    pool: Pool, place: Place, method: str, body: bytes, headers: _Headers, timeout_s: float, limit_bytes: int
) -> Fetched:
    endpoint = Endpoint(
        scheme=place.scheme,
        host=place.host,
        port=place.port,
        max_connections=1,
        connect_timeout_s=timeout_s,
        silence_timeout_s=timeout_s,
        reach="public",
    )
    reply = await pool.send_request(endpoint, _request(place, method, body, headers))
    return Fetched(reply.status, dict(reply.headers), await reply.read(limit_bytes))


def _request(place: Place, method: str, body: bytes, headers: _Headers) -> bytes:
    name = f"[{place.host}]" if ":" in place.host else place.host
    host = name if place.port == {"http": 80, "https": 443}[place.scheme] else f"{name}:{place.port}"
    lines = [
        f"{method} {place.path} HTTP/1.1".encode(),
        f"host: {host}".encode(),
        b"user-agent: primeur",
        b"accept-encoding: identity",
        b"connection: close",
        *(b"%b: %b" % pair for pair in headers),
    ]
    if body or method != "GET":
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])
