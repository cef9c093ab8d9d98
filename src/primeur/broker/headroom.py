"""What a provider can still take: an admission test on work in flight, with answers of unknown length."""

from math import sqrt
from typing import NamedTuple

from primeur.broker.lengths import Lengths
from primeur.core.errors import SetupError

MICROSECONDS = 1_000_000


class Capacity(NamedTuple):
    """What a provider promises.

    Work is counted in *work tokens*: input tokens plus *output_weight* times output tokens.

    Attributes:
        work_per_s: work tokens a second, sustained.
        window_s: how many seconds of its own capacity the provider takes into flight.
        output_weight: work tokens of one output token.
    """

    work_per_s: float
    window_s: float = 10.0
    output_weight: float = 1.0


class Evidence(NamedTuple):
    """What was measured when a provider was passed over.

    Attributes:
        in_flight_work: work tokens believed to be unfinished there.
        needed_work: work tokens of this request, the allowance for uncertainty included.
        limit_work: work tokens the provider may have in flight for this request.
        retry_after_ms: when the same request would have fitted, or the provider's own figure.
        slack_ms: how long this request could have waited.
    """

    in_flight_work: float = 0.0
    needed_work: float = 0.0
    limit_work: float = 0.0
    retry_after_ms: int = 0
    slack_ms: int = 0
    detail: str = ""


class Headroom:
    """Live state of one provider's capacity; every method takes the time.

    A request fits when the work in flight, this request's and *caution* standard deviations of what is unknown about
    them stay below the limit. Unknown is only the length of the answers, learned in `lengths`.
    """

    __slots__ = (
        "_caution_squared",
        "_in_flight",
        "_limit_work",
        "_moved_us",
        "_output_weight",
        "_variance",
        "_weight_squared",
        "_work",
        "_work_per_us",
        "closed_by",
        "closed_until_us",
        "lengths",
        "window_us",
    )

    def __init__(self, capacity: Capacity, lengths: Lengths, caution: float = 2.0) -> None:
        """Start empty.

        Args:
            caution: standard deviations of the unknown work kept free.

        Raises:
            SetupError: a capacity, window or weight that is not above zero.
        """
        for name, value in capacity._asdict().items():
            if not value > 0:
                raise SetupError(f"capacity {name} is {value}; it must be above zero")
        self.lengths = lengths
        self.closed_until_us = 0
        self.closed_by = ""
        self._work_per_us = capacity.work_per_s / MICROSECONDS
        self._limit_work = capacity.work_per_s * capacity.window_s
        self._output_weight = capacity.output_weight
        self._weight_squared = capacity.output_weight**2
        self._caution_squared = caution * caution
        self._in_flight: dict[int | str, tuple[float, float, int]] = {}
        self._work = 0.0
        self._variance = 0.0
        self._moved_us: float = 0
        # How long a full load of work in flight takes to finish.
        self.window_us = round(capacity.window_s * MICROSECONDS)

    def resize(self, capacity: Capacity) -> None:
        """Go on with another capacity; what is in flight and what was learned stays."""
        self._work_per_us = capacity.work_per_s / MICROSECONDS
        self._limit_work = capacity.work_per_s * capacity.window_s
        self.window_us = round(capacity.window_s * MICROSECONDS)

    def take(self, now_us: int, request: int | str, input_tokens: int, slack_us: int) -> bool:
        """Reserve room for a request if it fits and can be done within *slack_us*; say whether it did.

        A request that is in flight already is not counted again.
        """
        if now_us < self.closed_until_us:
            return False
        in_flight = self._in_flight
        if request in in_flight:
            return True
        tokens, spread, _ = self.lengths.expect(input_tokens)
        work = input_tokens + self._output_weight * tokens
        variance = self._variance + self._weight_squared * spread
        done = (now_us - self._moved_us) * self._work_per_us
        limit = self._work_per_us * slack_us
        if limit > self._limit_work:  # noqa: PLR1730 - this runs for every request, and a call to min() is dearer
            limit = self._limit_work
        total = self._work + work
        # Since the last answer the provider has worked on, on one request at least and at most.
        if in_flight:
            one = self._work / len(in_flight)
            total -= done if done < one else one  # noqa: FURB136 - as above
        room = limit - total
        if room < 0.0 or room * room < self._caution_squared * variance:
            return False
        if not in_flight:
            self._moved_us = now_us
        in_flight[request] = (work, self._weight_squared * spread, input_tokens)
        self._work += work
        self._variance = variance
        return True

    def settle(self, now_us: float, request: int | str, output_tokens: int) -> None:
        """Take a finished request out of flight and learn from it; the same request twice is once."""
        entry = self._in_flight.pop(request, None)
        if entry is None:
            return
        work, variance, input_tokens = entry
        self.lengths.learn(input_tokens, output_tokens)
        self._moved_us = now_us
        if self._in_flight:
            self._work -= work
            self._variance -= variance
        else:
            self._work = self._variance = 0.0

    def drop(self, now_us: int, request: int | str) -> None:
        """Take a request out of flight that got no answer; nothing is learned."""
        entry = self._in_flight.pop(request, None)
        if entry is not None:
            self._moved_us = now_us
            self._work -= entry[0]
            self._variance = max(0.0, self._variance - entry[1])

    def close(self, until_us: int, reason: str) -> None:
        """Take nothing until a moment: what the provider said (a 429), or when it is probed again (an outage)."""
        self.closed_until_us = until_us
        self.closed_by = reason

    def evidence(self, now_us: int, input_tokens: int, slack_us: int) -> Evidence:
        """Measure why a request does not fit; see `Evidence`."""
        tokens, spread, _ = self.lengths.expect(input_tokens)
        allowance = sqrt(self._caution_squared * (self._variance + self._weight_squared * spread))
        needed = input_tokens + self._output_weight * tokens + allowance
        limit = min(self._limit_work, self._work_per_us * slack_us)
        if now_us < self.closed_until_us:
            wait_us: float = self.closed_until_us - now_us
        else:
            wait_us = (self._work + needed - limit) / self._work_per_us
        wait_ms = max(1, int(wait_us // 1000) + 1)
        return Evidence(self._work, needed, limit, wait_ms, slack_us // 1000, self.closed_by)
