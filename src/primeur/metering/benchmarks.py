"""What a load test of one deployment says: percentiles out of the times of single answers; pure."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(slots=True)
class Sample:
    """One streamed answer.

    Attributes:
        began_s, ended_s: seconds on any clock that all samples share.
        pieces_s: when each piece that carried text arrived, on the same clock.
        input_tokens, output_tokens: as the service counted.
        fault: why it did not end well; empty when it did.
    """

    began_s: float
    ended_s: float = 0.0
    pieces_s: list[float] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles; None where nothing was measured."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """What was measured with *concurrency* requests under way at any time.

    Attributes:
        tokens_per_s: output tokens of all answers over the time from the first start to the last end.
        first_token_ms: from sending a request to the first piece of its answer.
        between_tokens_ms: between two pieces of the same answer; see `gaps`.
        faults: the distinct reasons of the failed ones, the first first, at most five.
    """

    concurrency: int
    requests: int
    failed: int
    seconds: float
    requests_per_s: float
    tokens_per_s: float
    input_tokens: float
    output_tokens: float
    first_token_ms: Spread
    between_tokens_ms: Spread
    faults: tuple[str, ...] = ()


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least *share* (0 to 1) of *values* do not exceed; None when there are none.

    Source: NIST/SEMATECH e-Handbook, 1.3.5.16, nearest rank.
    """
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float]) -> Spread:
    """The three percentiles that are shown."""
    return Spread(*(percentile(values, share) for share in (0.50, 0.95, 0.99)))


def gaps(moments: Sequence[float]) -> list[float]:
    """Times between neighbours; pieces that arrive together share the wait for them evenly.

    Otherwise a server that sends four tokens at a time would seem to make three of them in no time.
    """
    arrivals = Counter(moments)
    steps = pairwise(sorted(arrivals))
    return [(later - earlier) / arrivals[later] for earlier, later in steps for _ in range(arrivals[later])]


def summarise(concurrency: int, samples: Sequence[Sample]) -> Level:
    """Sum one level up; failed answers count as failed and nowhere else."""
    good = [sample for sample in samples if not sample.fault]
    count = max(len(good), 1)
    seconds = max((one.ended_s for one in good), default=0.0) - min((one.began_s for one in good), default=0.0)
    made = sum(one.output_tokens for one in good)
    return Level(
        concurrency=concurrency,
        requests=len(samples),
        failed=len(samples) - len(good),
        seconds=seconds,
        requests_per_s=len(good) / seconds if seconds else 0.0,
        tokens_per_s=made / seconds if seconds else 0.0,
        input_tokens=sum(one.input_tokens for one in good) / count,
        output_tokens=made / count,
        first_token_ms=spread([1000 * (one.pieces_s[0] - one.began_s) for one in good if one.pieces_s]),
        between_tokens_ms=spread([1000 * gap for one in good for gap in gaps(one.pieces_s)]),
        faults=tuple(dict.fromkeys(one.fault for one in samples if one.fault))[:5],
    )
