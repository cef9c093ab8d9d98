"""Who has tried too often to sign in: each name and each address waits longer with every wrong attempt; pure."""

from dataclasses import dataclass

FREE_TRIES = {"name": 5, "address": 20}
FORGOTTEN_MS = 60 * 60_000
_FIRST_WAIT_MS, _LONGEST_WAIT_MS = 1000, 15 * 60_000


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong attempts of one name or address; *until_ms*: when it may try again."""

    count: int = 0
    last_ms: int = 0
    until_ms: int = 0


def after_wrong(whose: str, count: int, now_ms: int) -> Tries:
    """Give what becomes of a name or address after a wrong attempt.

    Args:
        whose: ``name:...`` or ``address:...``.
        count: wrong attempts within an hour of each other, with this one.
    """
    beyond = count - FREE_TRIES[whose.partition(":")[0]]
    wait_ms = min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS << min(beyond, 20)) if beyond >= 0 else 0
    return Tries(count, now_ms, now_ms + wait_ms)
