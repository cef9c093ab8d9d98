"""A request to a target as bytes.

Source: RFC 9112, sections 3 "Request Line" and 6 "Message Body".
"""

from collections.abc import Sequence

from primeur.core.chat import Endpoint
from primeur.core.heads import header_lines


def request_bytes(
    endpoint: Endpoint, method: str, path: str, body: bytes, headers: Sequence[tuple[bytes, bytes]]
) -> bytes:
    """Write an HTTP/1.1 request with the endpoint's own headers."""
    head = request_head(endpoint, method, path)
    if body or method != "GET":
        return _with_body(head, body, headers)
    return head + header_lines(headers) + b"\r\n"


def request_head(endpoint: Endpoint, method: str, path: str) -> bytes:
    """Write the beginning of a head, with the endpoint's own headers; the next line may follow."""
    standard = {"http": 80, "https": 443}[endpoint.scheme]
    name = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    host = name if endpoint.port == standard else f"{name}:{endpoint.port}"
    first = f"{method} {endpoint.prefix}{path} HTTP/1.1\r\nhost: {host}\r\naccept-encoding: identity\r\n".encode()
    return first + header_lines(endpoint.headers)


def _with_body(head: bytes, body: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    kind = b"content-type: application/json\r\n" if body else b""
    return b"%b%b%bcontent-length: %d\r\n\r\n%b" % (head, header_lines(headers), kind, len(body), body)
