"""Identifiers: UUIDv7 behind a type prefix, sortable by time."""

from collections.abc import Callable

type_prefixes = {
    "organisation": "org",
    "project": "prj",
    "member": "mem",
    "key": "key",
    "session": "ses",
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
}

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_SHIFTS = tuple(range(120, -1, -10))


def make_id(kind: str, now_ms: int, entropy: Callable[[int], bytes]) -> str:
    """Make an identifier such as ``dep_06f3...``: 26 Crockford base-32 digits, sortable by time.

    Args:
        kind: a key of `type_prefixes`.
        now_ms: UTC milliseconds since 1970.
        entropy: gives n random bytes; `os.urandom` in production.

    Source: RFC 9562, section 5.7 (UUID version 7).
    """
    random = int.from_bytes(entropy(10), "big")
    value = (now_ms & (1 << 48) - 1) << 80 | 7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 2 << 62 | random & (1 << 62) - 1
    pairs = _PAIRS
    return f"{type_prefixes[kind]}_" + "".join([pairs[value >> shift & 1023] for shift in _SHIFTS])
