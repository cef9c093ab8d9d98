"""Rates, requests in flight and money in this process's memory, for a house of one process."""

from collections.abc import Awaitable, Callable, Sequence

from primeur.core.bucket import LeakyBucket
from primeur.core.caller import Gate
from primeur.core.errors import SliceSpent
from primeur.core.ports import Clock, Reservation
from primeur.core.usage import Taken
from primeur.limits.counters import CalendarCounter, FlightCounter, MinuteCounter
from primeur.limits.lane import Counter, CounterLane, bind
from primeur.limits.names import CONCURRENCY, Name

COUNTERS_LIMIT = 200_000


Books = Callable[[Sequence[Taken]], Awaitable[list[int]]]


class MemoryLimiter:
    """Implements `primeur.core.ports.Limiter` for one process."""

    def __init__(self, clock: Clock, books: Books | None = None) -> None:
        """*books* tells what was used before this process began; without any, nothing was."""
        self._clock, self._books = clock, books
        self._counters: dict[Name, Counter] = {}
        self.lost, self.shares_when_lost = "", False

    def lane(self, gates: tuple[Gate, ...], currency: str | None) -> CounterLane:
        """See the port."""
        return CounterLane(*bind(gates, currency, self.counter))

    def reservation(self, scope: str, per_minute: int) -> LeakyBucket:  # noqa: ARG002 (others share it by its name)
        """See the port."""
        return LeakyBucket(per_minute)

    async def refresh(self, reservations: Sequence[Reservation]) -> None:
        """Nobody else knows more."""

    def counter(self, name: Name, limit: int) -> Counter:
        """Find a counter, which takes up *limit*, or make it."""
        found = self._counters.get(name)
        if found is None:
            found = self._counters[name] = self._make(name, limit)
        elif found.limit != limit:
            found.resize(limit)
        return found

    async def fill(self, spent: SliceSpent) -> None:
        """Learn from the books what the lane's counters of days and money do not know yet."""
        now_ms = self._clock.now_ms()
        unknown = [one for one in spent.lane.counters if isinstance(one, CalendarCounter) and one.may_fill(1, now_ms)]
        if self._books is None or not unknown:
            return
        asked = [Taken(one.name.scope, one.name.kind, one.name.currency, one.start_ms) for one in unknown]
        for counter, question, used in zip(unknown, asked, await self._books(asked), strict=True):
            if counter.start_ms == question.from_ms:
                counter.learn(used)

    def forget_idle(self) -> None:
        """Drop counters that stand as new ones would, when there are too many; call it between two snapshots."""
        if len(self._counters) <= COUNTERS_LIMIT:
            return
        now_ms = self._clock.now_ms()
        for counter in self._counters.values():
            if now_ms >= counter.turn_ms:
                counter.turn(now_ms)
        self._counters = {name: one for name, one in self._counters.items() if one.left != one.limit}

    def used(self) -> list[tuple[Name, int]]:
        """What was used in the periods that it is now, of what is counted by the calendar."""
        return [(name, one.here) for name, one in self._counters.items() if isinstance(one, CalendarCounter)]

    def _make(self, name: Name, limit: int) -> Counter:
        if name.kind == CONCURRENCY:
            return FlightCounter(name, limit)
        now_ms = self._clock.now_ms()
        if name.period is None:
            return MinuteCounter(name, limit, now_ms)
        return CalendarCounter(name, limit, name.period, now_ms, known=self._books is None)
