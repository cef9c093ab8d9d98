"""What processes that share limits say to whoever keeps the counts: claims, and what is granted on them."""

from typing import Protocol

import msgspec

MINUTE, CALENDAR, FLIGHT, BUCKET = 0, 1, 2, 3

# A slice of a minute's allowance is booked for its last moment, so that it may be used until then.
SLICE_LIFE_MS = 2000
SLOT_MS = 1000
SLOTS = 61
HOLDER_LIFE_MS = 10_000
HUNGRY_MS = 300

Units = tuple[tuple[str, int], ...]


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """What one process says about one counter, all of it at once.

    Attributes:
        key: which counter, as all processes name it.
        way: MINUTE, CALENDAR, FLIGHT or BUCKET, of which *limit* drains in a minute.
        field: the period's first millisecond for CALENDAR, the process for FLIGHT; nothing for the others.
        ends_ms: UTC milliseconds until which a CALENDAR counter matters.
        spent: (place, units) of the process's slices that were used since it last said so; negative for what turned
            out not to be used, or a flight that ended.
        unspent: (place, units) of slices that are given back as they were granted.
        back: (place, units) that were used and turned out not to be; negative units were used beyond any grant.
        need: the least that helps; 0 asks for nothing.
        wish: what would be taken if there is plenty.
        floor: what the books say was used in this period; None when they were not asked.
    """

    key: str
    way: int
    field: str
    limit: int
    ends_ms: int = 0
    spent: Units = ()
    unspent: Units = ()
    back: Units = ()
    need: int = 0
    wish: int = 0
    floor: int | None = None


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """What one process gets of one counter.

    Attributes:
        units: how many, at most the wish, or none when there is less than the need; of a BUCKET that is not full, the
            need whatever it is.
        field: the place at which they are booked.
        left: what nobody has been granted.
        outstanding: what processes have been granted and not used; it may come back.
        hungry: somebody waits for what others hold.
        wait_ms: until the need can be there.
        holders: processes that share this limit.
        unknown: nobody has counted in this period yet; ask the books and say it as *floor*.
    """

    units: int
    field: str
    left: int
    outstanding: int
    hungry: bool
    wait_ms: int
    holders: int
    unknown: bool = False


class Keeper(Protocol):
    """Whoever keeps the counts of all processes."""

    async def exchange(self, holder: str, claims: list[Claim]) -> list[Grant]:
        """Say what *holder* has to say, and get an answer to each claim.

        Raises:
            OSError: the keeper cannot be reached.
        """
        ...

    async def leave(self, holder: str) -> None:
        """Say that *holder* has given everything back and is gone."""
        ...

    async def aclose(self) -> None:
        """Let go."""
        ...


def pour(left: int, need: int, wish: int, holders: int, *, hungry: bool) -> int:
    """As `share`, of a bucket: whoever comes while it is less than full gets all that it needs."""
    if need <= 0 or left <= 0:
        return 0
    return need if need >= left else share(left, need, wish, holders, hungry=hungry)


def share(limit_left: int, need: int, wish: int, holders: int, *, hungry: bool) -> int:
    """Give how much to grant: slices shrink as the limit comes near, so that no process holds what another lacks."""
    if need <= 0 or limit_left < need:
        return 0
    if hungry:
        return need
    return min(limit_left, max(need, min(wish, limit_left // (2 * max(1, holders)))))
