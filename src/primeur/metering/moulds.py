"""Usage events of requests that went as they should, encoded without being made; pure.

What is the same in all of one caller's requests to one target is encoded once.
Source: MessagePack specification, "str format family", "int format family" and "map format family".
"""

from functools import lru_cache
from struct import Struct

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Served
from primeur.core.usage import Usage

_encode = msgspec.msgpack.Encoder().encode
_MAP16, _UINT64, _STR8, _FIXMAP = b"\xde", b"\xcf", b"\xd9", 0x80
_USAGE = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
_TIMES = ("at_ms", "first_token_us", "duration_us", "overhead_us")
_ID, _ADDRESS = _encode("id") + _STR8, _encode("address")


def _layout(*names: str) -> tuple[Struct, tuple[bytes, ...]]:
    """Numbers under their names, all as 64 bits; usage, a map of its own, comes last."""
    keys = [_encode(name) + _UINT64 for name in (*names, *_USAGE)]
    keys[len(names)] = _encode("usage") + bytes([_FIXMAP | len(_USAGE)]) + keys[len(names)]
    return Struct(">" + "".join(f"{len(key)}sQ" for key in keys)), tuple(keys)


_FREE, _FREE_KEYS = _layout(*_TIMES)
_PRICED, _PRICED_KEYS = _layout(*_TIMES, "cost_nanos")


class EventMould:
    """Casts what a `primeur.core.usage.UsageEvent` is encoded to.

    Only for answers that were complete, whose usage the target told, outside of rights, of projects that keep no
    prompts.
    """

    __slots__ = ("_same",)

    def __init__(self, caller: Caller, served: Served, ask: Ask) -> None:
        """Encode what is the same in all of the caller's asks, on this route, that are *served* so."""
        target, price = served.target, served.price
        same = {
            "route": str(ask.route),
            "outcome": "completed",
            "status": 200,
            "project_id": caller.project_id,
            "key_id": caller.key_id,
            "deployment": served.deployment,
            "revision_id": target.revision_id,
            "provider": target.provider,
            "streamed": ask.streams,
        }
        if price is not None:
            same |= {"currency": price.currency, "price_id": price.id}
        # Beside these: id, address, usage, and the numbers.
        count = len(same) + 3 + len(_TIMES) + (price is not None)
        pairs = b"".join(_encode(name) + _encode(value) for name, value in same.items())
        self._same = _MAP16 + count.to_bytes(2, "big") + pairs

    def cast(  # noqa: PLR0913, PLR0917 (everything that differs)
        self, ask: Ask, usage: Usage, cost_nanos: int | None, first_us: int, duration_us: int, overhead_us: int
    ) -> bytes:
        """Give the encoded event; *cost_nanos* is None exactly when whoever served has no price."""
        fresh, cached, made, thought = (
            usage.input_tokens,
            usage.cached_tokens,
            usage.output_tokens,
            usage.reasoning_tokens,
        )
        if cost_nanos is None:
            a, b, c, d, e, f, g, h = _FREE_KEYS
            numbers = _FREE.pack(
                a, ask.arrived_ms, b, first_us, c, duration_us, d, overhead_us, e, fresh, f, cached, g, made, h, thought
            )
        else:
            a, b, c, d, i, e, f, g, h = _PRICED_KEYS
            numbers = _PRICED.pack(
                a, ask.arrived_ms, b, first_us, c, duration_us, d, overhead_us,
                i, cost_nanos, e, fresh, f, cached, g, made, h, thought,
            )  # fmt: skip
        name = ask.id.encode()
        return b"%b%b%b%c%b%b%b" % (self._same, numbers, _ID, len(name), name, _ADDRESS, _spelled(ask.address))


@lru_cache(maxsize=4096)
def _spelled(word: str) -> bytes:
    return _encode(word)
