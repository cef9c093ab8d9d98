"""Identifiers: UUIDv7 behind a type prefix, sortable by time."""

from collections.abc import Callable
from functools import lru_cache

type_prefixes = {
    "organisation": "org",
    "project": "prj",
    "member": "mem",
    "key": "key",
    "session": "ses",
    "group": "grp",
    "passkey": "psk",
    "model": "mod",
    "version": "ver",
    "deployment": "dep",
    "revision": "rev",
    "provider": "prv",
    "request": "req",
    "event": "evt",
    "response": "resp",
    "conversation": "conv",
    "message": "msg",
    "call": "fc",
    "call_output": "fco",
    "reasoning": "rs",
    "file": "file",
    "upload": "upload",
    "part": "part",
    "batch": "batch",
    "price": "price",
    "share": "shr",
    "statement": "stm",
    "distribution": "dis",
    "budget": "bud",
    "right": "rgt",
    "capacity_request": "creq",
    "bid": "bid",
    "offer": "off",
    "commitment": "cmt",
    "command": "cmd",
    "source": "src",
    "simulation": "sim",
    "customer": "cus",
    "plan": "plan",
    "subscription": "sub",
    "credit": "crd",
    "invoice": "inv",
    "alert_target": "alt",
    "mail": "mail",
    "measurement": "mea",
    "delivery": "whd",
    "roll_out": "rol",
    "scaling_decision": "scd",
}

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
# Five bits of each random byte choose a digit.
_RANDOM = bytes.maketrans(bytes(range(256)), _DIGITS.encode() * 8)
# The eleventh digit is the version (0111) and a random bit, the fourteenth holds the variant (10) between random bits.
_VERSION = [_DIGITS[0b01110 | n] for n in range(2)]
_VARIANT = [_DIGITS[(n & 4) << 2 | 0b01000 | n & 3] for n in range(8)]
_LAST_DIGITS = [first + second for first in _DIGITS for second in _DIGITS]
_AT_ONCE = 256


def make_id(kind: str, now_ms: int, entropy: Callable[[int], bytes]) -> str:
    """Make an identifier such as ``dep_06f3...``: 26 Crockford base-32 digits, sortable by time.

    Args:
        kind: a key of `type_prefixes`.
        now_ms: UTC milliseconds since 1970.
        entropy: gives n random bytes; `os.urandom` in production.

    Source: RFC 9562, section 5.7 (UUID version 7).
    """
    drawn = entropy(16)
    digits = drawn.translate(_RANDOM).decode()
    version, variant = _VERSION[drawn[0] & 1], _VARIANT[drawn[3] & 7]
    return f"{_beginning(kind, now_ms)}{version}{digits[1:3]}{variant}{digits[4:]}"


@lru_cache(maxsize=64)
def _beginning(kind: str, now_ms: int) -> str:
    """The prefix and the 48 bits of the time, which many ids share."""
    digits = (_DIGITS[now_ms >> shift & 31] for shift in range(45, -1, -5))
    return f"{type_prefixes[kind]}_{''.join(digits)}"


class Mint:
    """Makes many identifiers of one kind, as `make_id` does, drawing at once what 256 of them need; for one thread."""

    __slots__ = ("_beginning", "_endings", "_entropy", "_kind", "_now_ms")

    def __init__(self, kind: str, entropy: Callable[[int], bytes]) -> None:
        """Draw nothing yet; *kind* and *entropy*: see `make_id`."""
        self._kind, self._entropy = kind, entropy
        self._endings: list[str] = []
        # The last two digits of the time change with every millisecond, the others once in 1,024.
        self._now_ms, self._beginning = -1, ""

    def make(self, now_ms: int) -> str:
        """Make one; *now_ms*: UTC milliseconds since 1970."""
        if now_ms != self._now_ms:
            self._now_ms = now_ms
            self._beginning = _beginning(self._kind, now_ms >> 10 << 10)[:-2] + _LAST_DIGITS[now_ms & 1023]
        if not self._endings:
            self._endings = self._draw()
        return self._beginning + self._endings.pop()

    def _draw(self) -> list[str]:
        drawn = self._entropy(_AT_ONCE * 16)
        digits = drawn.translate(_RANDOM).decode()
        return [
            _VERSION[drawn[at] & 1] + digits[at + 1 : at + 3] + _VARIANT[drawn[at + 3] & 7] + digits[at + 4 : at + 16]
            for at in range(0, len(drawn), 16)
        ]
