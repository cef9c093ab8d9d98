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
    "budget": "bud",
    "right": "rgt",
    "capacity_request": "creq",
    "bid": "bid",
    "offer": "off",
    "commitment": "cmt",
    "command": "cmd",
    "source": "src",
    "measurement": "mea",
    "delivery": "whd",
    "roll_out": "rol",
}

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]


def make_id(kind: str, now_ms: int, entropy: Callable[[int], bytes]) -> str:
    """Make an identifier such as ``dep_06f3...``: 26 Crockford base-32 digits, sortable by time.

    Args:
        kind: a key of `type_prefixes`.
        now_ms: UTC milliseconds since 1970.
        entropy: gives n random bytes; `os.urandom` in production.

    Source: RFC 9562, section 5.7 (UUID version 7).
    """
    random = int.from_bytes(entropy(10), "big")
    # Two halves of 64 bits: arithmetic within a machine word is twice as fast.
    high = (now_ms & (1 << 48) - 1) << 16 | 7 << 12 | (random >> 68 & 0xFFF)
    low = 2 << 62 | random & (1 << 62) - 1
    p, middle = _PAIRS, (high & 63) << 4 | low >> 60
    return (
        f"{type_prefixes[kind]}_{p[high >> 56]}{p[high >> 46 & 1023]}{p[high >> 36 & 1023]}{p[high >> 26 & 1023]}"
        f"{p[high >> 16 & 1023]}{p[high >> 6 & 1023]}{p[middle]}{p[low >> 50 & 1023]}{p[low >> 40 & 1023]}"
        f"{p[low >> 30 & 1023]}{p[low >> 20 & 1023]}{p[low >> 10 & 1023]}{p[low & 1023]}"
    )
