"""Heads of HTTP messages: lines of headers, and heads that come again, the same but for their content-length; pure."""

import re
from collections.abc import Iterable

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})(?=[ \t]*\r\n)", re.IGNORECASE)
_DIGITS_MOST = 13


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write headers, a line each, as HTTP/1.1 has them."""
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])


class Mask:
    """The bytes of one head before and after the digits of its content-length."""

    __slots__ = ("_after", "_after_size", "_before", "_cut")

    def __init__(self, before: bytes, after: bytes) -> None:
        """*after* ends with the blank line."""
        self._before, self._after = before, after
        self._cut, self._after_size = len(before), len(after)

    @property
    def frame(self) -> bytes:
        """What all messages with this head have in common."""
        return self._before + self._after

    def body_of(self, message: bytes) -> bytes | None:
        """Give the body when *message* is this head and a whole body, no more and no less; else None."""
        cut = self._cut
        if not message.startswith(self._before):
            return None
        end = message.find(b"\r", cut, cut + _DIGITS_MOST)
        if end < 0 or not message.startswith(self._after, end):
            return None
        digits, start = message[cut:end], end + self._after_size
        if not digits.isdigit() or int(digits) != len(message) - start:
            return None
        return message[start:]


def mask_of(head: bytes) -> Mask | None:
    """Make the mask of *head*, its blank line included, which a strict parser has read and let pass.

    None when it has no content-length, or when it cannot be told where it stands.
    """
    found = list(_LENGTH.finditer(head))
    return Mask(head[: found[0].start(1)], head[found[0].end(1) :]) if len(found) == 1 else None
