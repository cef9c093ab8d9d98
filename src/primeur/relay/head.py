"""Heads of answers, strictly: what could be read in two ways is refused.

Source: RFC 9112, "HTTP/1.1".
"""

import re
from dataclasses import dataclass

from primeur.core.errors import TargetFailed

HEAD_LIMIT = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\x00]*)?\r\n")
_LINES = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\x00]*\r\n)*\r\n")
_LINE = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*)\r\n")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one answer.

    Attributes:
        headers: lower-case names; the last of repeated ones.
        length: bytes of the body; None when it is chunked, or ends with the connection.
    """

    status: int
    headers: dict[bytes, bytes]
    keep_alive: bool
    chunked: bool
    length: int | None

    @property
    def is_interim(self) -> bool:
        """Whether the answer itself is still to come."""
        return self.status < 200


def parse_head(head: bytes, where: str) -> Head:
    """Read *head*, its blank line included.

    Raises:
        TargetFailed: it is not HTTP, or its length can be read in two ways; names *where*.
    """
    first = _STATUS.match(head)
    if first is None or _LINES.fullmatch(head, first.end()) is None:
        raise TargetFailed(f"{where} does not speak HTTP: a malformed head")
    pairs = [(name.lower(), value.rstrip(b" \t")) for name, value in _LINE.findall(head, first.end())]
    headers = dict(pairs)
    status = int(first[2])
    chunked = _is_chunked(headers, where)
    length = _length(pairs, where)
    if chunked and length is not None:
        raise TargetFailed(f"{where} does not speak HTTP: a content-length and chunks")
    if status in _WITHOUT_BODY or status < 200:
        chunked, length = False, 0
    said = headers.get(b"connection", b"").lower()
    keep_alive = b"close" not in said if first[1] == b"1" else b"keep-alive" in said
    return Head(status, headers, keep_alive and (chunked or length is not None), chunked, length)


def _is_chunked(headers: dict[bytes, bytes], where: str) -> bool:
    coding = headers.get(b"transfer-encoding")
    if coding is None:
        return False
    if coding.lower() != b"chunked":
        raise TargetFailed(f"{where} answers with a transfer-encoding that was not asked for")
    return True


def _length(pairs: list[tuple[bytes, bytes]], where: str) -> int | None:
    said = {value for name, value in pairs if name == b"content-length"}
    if not said:
        return None
    if len(said) > 1 or _LENGTH.fullmatch(next(iter(said))) is None:
        raise TargetFailed(f"{where} does not speak HTTP: a content-length that is no number")
    return int(said.pop())
