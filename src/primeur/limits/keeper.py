"""Keeps the counts of all processes of one machine, in the memory of the one process that they all ask."""

from dataclasses import dataclass, field

from primeur.core.ports import Clock
from primeur.limits.slices import (
    BUCKET,
    CALENDAR,
    FLIGHT,
    HOLDER_LIFE_MS,
    HUNGRY_MS,
    MINUTE,
    SLICE_LIFE_MS,
    SLOT_MS,
    SLOTS,
    Claim,
    Grant,
    pour,
    share,
)

_MINUTE_MS = 60_000

_COUNTS_LIMIT = 1_000_000


@dataclass(slots=True)
class _Count:
    """One counter of all processes.

    Attributes:
        used: granted and not given back, by place: slot, period or process.
        out: of that, what was granted and not used yet, by place and process.
        drained_ms, rest: until when a bucket has drained, and 1/60,000 tokens that it has drained beyond whole ones.
    """

    used: dict[str, int] = field(default_factory=dict)
    out: dict[tuple[str, str], int] = field(default_factory=dict)
    hungry_until_ms: int = 0
    ends_ms: int = 0
    drained_ms: int = 0
    rest: int = 0

    def drain(self, limit: int, now_ms: int) -> None:
        """Let a bucket drain; *limit* tokens in a minute."""
        elapsed_ms = min(max(0, now_ms - self.drained_ms), 2 * _MINUTE_MS)
        whole, self.rest = divmod(elapsed_ms * limit + self.rest, _MINUTE_MS)
        self.drained_ms = max(now_ms, self.drained_ms)
        self.used[""] = max(0, self.used.get("", 0) - whole)


class MemoryKeeper:
    """Answers claims; `limits/valkey.py` says the same in Lua."""

    def __init__(self) -> None:
        """Nobody has used anything."""
        self._counts: dict[str, _Count] = {}
        self._holders: dict[str, int] = {}

    def answer(self, holder: str, claims: list[Claim], now_ms: int) -> list[Grant]:
        """Answer every claim of a process."""
        self._holders[holder] = now_ms + HOLDER_LIFE_MS
        self._holders = {name: until_ms for name, until_ms in self._holders.items() if until_ms > now_ms}
        if len(self._counts) > _COUNTS_LIMIT:
            self._counts = {key: one for key, one in self._counts.items() if one.ends_ms > now_ms}
        return [self._answer(holder, claim, now_ms) for claim in claims]

    def forget(self, holder: str) -> None:
        """A process is gone: its requests in flight are no more, what else it held counts as used."""
        self._holders.pop(holder, None)
        # At once: the next process of this name must not take up what this one had.
        for count in self._counts.values():
            count.used.pop(holder, None)
            count.out = {place: units for place, units in count.out.items() if place[1] != holder}

    def _answer(self, holder: str, claim: Claim, now_ms: int) -> Grant:
        count = self._counts.setdefault(claim.key, _Count())
        self._expire(count, claim, now_ms)
        place = str((now_ms + SLICE_LIFE_MS) // SLOT_MS) if claim.way == MINUTE else claim.field
        if claim.way == CALENDAR and place not in count.used:
            if claim.floor is None:
                return Grant(0, place, 0, 0, hungry=False, wait_ms=0, holders=len(self._holders), unknown=True)
            count.used[place] = claim.floor
        self._book(count, holder, claim, now_ms)
        left = claim.limit - sum(count.used.values())
        hungry = count.hungry_until_ms > now_ms
        give = pour if claim.way == BUCKET else share
        units = give(left, claim.need, claim.wish, len(self._holders), hungry=hungry)
        if units:
            count.used[place] = count.used.get(place, 0) + units
            count.out[place, holder] = count.out.get((place, holder), 0) + units
        outstanding = sum(units for (_, other), units in count.out.items() if other != holder)
        if claim.need and not units and outstanding > 0:
            count.hungry_until_ms = now_ms + HUNGRY_MS
        return Grant(
            units, place, left - units, outstanding, count.hungry_until_ms > now_ms,
            self._wait_ms(count, claim, left, now_ms), len(self._holders),
        )  # fmt: skip

    def _expire(self, count: _Count, claim: Claim, now_ms: int) -> None:
        if claim.way == MINUTE:
            oldest = now_ms // SLOT_MS - SLOTS
            gone = [place for place in count.used if int(place) <= oldest]
            count.ends_ms = now_ms + 2 * SLOTS * SLOT_MS
        elif claim.way == FLIGHT:
            gone = [place for place in count.used if place not in self._holders]
            count.ends_ms = now_ms + HOLDER_LIFE_MS
        elif claim.way == BUCKET:
            gone = []
            count.drain(claim.limit, now_ms)
            count.ends_ms = now_ms + 2 * _MINUTE_MS
        else:
            gone = [place for place in count.used if int(place) < int(claim.field)]
            count.ends_ms = claim.ends_ms
        for place in gone:
            del count.used[place]
        count.out = {
            (place, name): units
            for (place, name), units in count.out.items()
            if units and place in count.used and name in self._holders
        }

    @staticmethod
    def _book(count: _Count, holder: str, claim: Claim, now_ms: int) -> None:
        used, out = count.used, count.out
        for place, units in claim.spent:
            # What was used up, and turns out not to be, is a slice again.
            if (place, holder) in out or (units < 0 and place in used):
                out[place, holder] = out.get((place, holder), 0) - units
        for place, units in claim.unspent:
            if place in used:
                used[place] -= units
            if (place, holder) in out:
                out[place, holder] -= units
        for place, units in claim.back:
            if place in used or (claim.way == MINUTE and int(place) > now_ms // SLOT_MS - SLOTS):
                used[place] = used.get(place, 0) - units
        if claim.way == BUCKET:
            used[""] = max(0, used[""])

    @staticmethod
    def _wait_ms(count: _Count, claim: Claim, left: int, now_ms: int) -> int:
        if claim.way == BUCKET:
            return max(0, -left) * _MINUTE_MS // claim.limit + 1
        if claim.need <= left or claim.way == FLIGHT:
            return 1000
        if claim.way == CALENDAR:
            return max(1, claim.ends_ms - now_ms)
        short = claim.need - left
        for slot in sorted(map(int, count.used)):
            short -= count.used[str(slot)]
            if short <= 0:
                return max(1, (slot + SLOTS) * SLOT_MS - now_ms)
        return SLOTS * SLOT_MS


class LocalKeeper:
    """Implements `primeur.limits.slices.Keeper` for the process that keeps the counts itself."""

    def __init__(self, counts: MemoryKeeper, clock: Clock) -> None:
        """*counts* are everybody's."""
        self._counts, self._clock = counts, clock

    async def exchange(self, holder: str, claims: list[Claim]) -> list[Grant]:
        """See the port."""
        return self._counts.answer(holder, claims, self._clock.now_ms())

    async def leave(self, holder: str) -> None:
        """See the port."""
        self._counts.forget(holder)

    async def aclose(self) -> None:
        """Nothing to let go of."""
