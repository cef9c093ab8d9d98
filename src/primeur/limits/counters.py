"""Counters in this process's memory: how much of an allowance is left, kept so that asking costs nothing.

Every counter has *left* (what may still be taken), *turn_ms* (from when on `turn` must be called before *left* is
looked at) and *here* (what was taken since the last turn).
"""

from collections import deque
from typing import NoReturn

from primeur.core.caller import Period
from primeur.core.periods import NEVER_MS, span_of
from primeur.limits.names import Name, refuse

SLOT_MS = 1000
# One more than fills a minute: what was taken late in a slot must count for a whole minute too.
SLOTS = 61


class MinuteCounter:
    """What was taken in the last 60 seconds, by slots of one second: never more than *limit* in any 60 seconds."""

    __slots__ = ("_passed", "_slot", "here", "left", "limit", "name", "turn_ms")

    def __init__(self, name: Name, limit: int, now_ms: int) -> None:
        """Start with everything there."""
        self.name, self.limit, self.left, self.here = name, limit, limit, 0
        self._passed: deque[list[int]] = deque()
        self._slot = now_ms // SLOT_MS
        self.turn_ms = (self._slot + 1) * SLOT_MS

    def resize(self, limit: int) -> None:
        """Grant a limit that grew at once, take one that shrank at once."""
        self.left += limit - self.limit
        self.limit = limit

    def turn(self, now_ms: int) -> None:
        """Begin a new slot, and give back what was taken a minute ago."""
        if self.here:
            self._passed.append([self._slot, self.here])
            self.here = 0
        self._slot = now_ms // SLOT_MS
        self.turn_ms = (self._slot + 1) * SLOT_MS
        passed, gone = self._passed, self._slot - SLOTS
        while passed and passed[0][0] <= gone:
            self.left += passed.popleft()[1]

    def correct(self, more: int, at_ms: int) -> None:
        """Take *more* (or give back, when negative) for what was taken at *at_ms*."""
        slot = at_ms // SLOT_MS
        if slot >= self._slot or more > 0:
            # An answer that came to more than was held is owed from now on.
            self.here += more
            self.left -= more
            return
        for passed in reversed(self._passed):
            if passed[0] <= slot:
                if passed[0] == slot:
                    passed[1] += more
                    self.left -= more
                return

    def remains(self) -> int:
        """What is left, at least nothing."""
        return max(0, self.left)

    def reset_ms(self, now_ms: int) -> int:
        """Milliseconds until everything is there again."""
        last = self._slot if self.here or not self._passed else self._passed[-1][0]
        return max(0, (last + SLOTS) * SLOT_MS - now_ms) if self.left < self.limit else 0

    def may_fill(self, need: int, now_ms: int) -> bool:  # noqa: ARG002 (others look at both)
        """Nobody else has any."""
        return False

    def refuse(self, need: int, now_ms: int) -> NoReturn:
        """Say no, and when *need* will be there."""
        short, wait_ms = need - self.left, self.reset_ms(now_ms)
        for slot, taken in self._passed:
            short -= taken
            if short <= 0:
                wait_ms = (slot + SLOTS) * SLOT_MS - now_ms
                break
        refuse(self.name, need=need, left=self.left, limit=self.limit, wait_ms=max(1, wait_ms))


class CalendarCounter:
    """What was taken in this day, this month or ever; for money its unit is the nano.

    Such a counter outlives the process: until it has learned what the books say was used, it gives nothing away.
    """

    __slots__ = ("_known", "here", "left", "limit", "name", "period", "start_ms", "turn_ms")

    def __init__(self, name: Name, limit: int, period: Period, now_ms: int, *, known: bool) -> None:
        """Start with everything there, or (not *known*) with nothing until `learn`."""
        self.name, self.limit, self.here, self.period = name, limit, 0, period
        self.left = limit if known else -1
        self._known = known
        self.start_ms, self.turn_ms = span_of(period, now_ms)

    def learn(self, used: int) -> None:
        """Know what was used in this period before this counter was there."""
        if not self._known:
            self._known = True
            self.here += used
            self.left = self.limit - self.here

    def resize(self, limit: int) -> None:
        """As `MinuteCounter.resize`."""
        if self._known:
            self.left += limit - self.limit
        self.limit = limit

    def turn(self, now_ms: int) -> None:
        """Begin a new period, with everything there."""
        self._known, self.left, self.here = True, self.limit, 0
        self.start_ms, self.turn_ms = span_of(self.period, now_ms)

    def correct(self, more: int, at_ms: int) -> None:
        """Take *more* (or give back) for what was taken at *at_ms*, if that was in this period."""
        if at_ms >= self.start_ms:
            self.left -= more
            self.here += more

    def remains(self) -> int:
        """What is left, at least nothing."""
        return max(0, self.left)

    def reset_ms(self, now_ms: int) -> int:
        """Milliseconds until the next period."""
        return max(0, self.turn_ms - now_ms) if self.left < self.limit else 0

    def may_fill(self, need: int, now_ms: int) -> bool:  # noqa: ARG002 (others look at both)
        """Whether the books have not been read yet."""
        return not self._known

    def refuse(self, need: int, now_ms: int) -> NoReturn:
        """Say no, and when the next period begins."""
        refuse(self.name, need=need, left=self.left, limit=self.limit, wait_ms=max(1, self.turn_ms - now_ms))


class FlightCounter:
    """Requests in flight."""

    __slots__ = ("here", "left", "limit", "name", "turn_ms")

    def __init__(self, name: Name, limit: int) -> None:
        """Start with nobody in flight."""
        self.name, self.limit, self.left, self.here, self.turn_ms = name, limit, limit, 0, NEVER_MS

    def resize(self, limit: int) -> None:
        """As `MinuteCounter.resize`."""
        self.left += limit - self.limit
        self.limit = limit

    def turn(self, now_ms: int) -> None:
        """Nothing ends by itself."""

    def correct(self, more: int, at_ms: int) -> None:  # noqa: ARG002 (every counter is told when)
        """Let *more* in (or out, when negative)."""
        self.left -= more
        self.here += more

    def remains(self) -> int:
        """What is left, at least nothing."""
        return max(0, self.left)

    def reset_ms(self, now_ms: int) -> int:  # noqa: ARG002 (the same)
        """Nothing comes back by time."""
        return 0

    def may_fill(self, need: int, now_ms: int) -> bool:  # noqa: ARG002 (others look at both)
        """Nobody else has any."""
        return False

    def refuse(self, need: int, now_ms: int) -> NoReturn:  # noqa: ARG002 (the same)
        """Say no; only a request that ends makes room."""
        refuse(self.name, need=need, left=self.left, limit=self.limit, wait_ms=1000)
