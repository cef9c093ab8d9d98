"""A reserved throughput that several processes share: one leaky bucket for all, of which each has slices."""

from typing import Protocol

from primeur.core.bucket import LeakyBucket
from primeur.core.errors import SliceSpent
from primeur.limits.slice_counter import SliceCounter


class Sharer(Protocol):
    """What the bucket needs of `primeur.limits.shared.SharedLimiter`."""

    @property
    def spare(self) -> object | None:
        """This process's own limiter, while the keeper is lost."""
        ...

    def touch(self, lane: "SharedReservation") -> None:
        """Tell the keeper soon."""
        ...

    def part(self, limit: int) -> int:
        """Give this process's part of a limit, while the keeper is lost."""
        ...


class SharedReservation:
    """Implements `primeur.core.ports.Reservation`; while the keeper is lost, over this process's part."""

    def __init__(self, limiter: Sharer, counter: SliceCounter) -> None:
        """*counter* is of the way BUCKET."""
        self._limiter, self._counter = limiter, counter
        self._spare: LeakyBucket | None = None
        self.per_minute = counter.limit

    @property
    def counters(self) -> tuple[SliceCounter]:
        """As of a lane."""
        return (self._counter,)

    def needs(self, tokens: int, cost_nanos: int) -> list[tuple[SliceCounter, int]]:  # noqa: ARG002 (a lane looks at both)
        """As of a lane."""
        return [(self._counter, max(1, tokens))]

    def wait_ms(self, tokens: int, now_ms: int) -> int:
        """See the port."""
        spare = self._spare_now(now_ms)
        if spare is not None:
            return spare.wait_ms(tokens, now_ms)
        counter, need = self._counter, max(1, tokens)
        if now_ms >= counter.turn_ms:
            counter.turn(now_ms)
        if counter.left >= need:
            return 0
        if counter.may_fill(need, now_ms):
            raise SliceSpent(self, need, 0)
        return counter.wait_ms(now_ms)

    def take(self, tokens: int, now_ms: int) -> None:
        """See the port."""
        spare = self._spare_now(now_ms)
        if spare is not None:
            spare.take(tokens, now_ms)
            return
        self._counter.left -= tokens
        self._counter.here += tokens

    def correct(self, more: int, now_ms: int) -> None:
        """See the port."""
        spare = self._spare_now(now_ms)
        if spare is not None:
            spare.correct(more, now_ms)
        elif more:
            self._counter.correct(more, now_ms)
            self._limiter.touch(self)

    def utilisation(self, now_ms: int) -> float:
        """See the port."""
        spare = self._spare_now(now_ms)
        if spare is not None:
            return spare.utilisation(now_ms)
        # What lies in slices is nobody's use yet.
        counter = self._counter
        return max(0.0, 1 - (counter.shared + counter.outstanding + counter.left) / self.per_minute)

    def resize(self, per_minute: int) -> None:
        """See the port."""
        if per_minute != self.per_minute:
            self.per_minute = per_minute
            self._counter.resize(per_minute)
            self._spare = None

    def _spare_now(self, now_ms: int) -> LeakyBucket | None:
        """Give the bucket of this process alone, while the keeper is lost; what is in it afterwards is told."""
        if self._limiter.spare is not None:
            if self._spare is None:
                self._spare = LeakyBucket(max(1, self._limiter.part(self.per_minute)))
            return self._spare
        if self._spare is not None:
            level = round(self._spare.utilisation(now_ms) * self._spare.per_minute)
            self._spare = None
            self.correct(level, now_ms)
        return None
