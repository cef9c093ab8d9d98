"""What a period will come to: means by season, with an interval that says how sure that is; pure.

The model is y = m(s) + e, with a mean m for each place s in the season (the weekday, or the hour) and errors e whose
neighbours may be alike (an AR(1) process). What is left of the period is the sum of the coming means; its variance is
that of the sum of the coming errors and of the means being estimates themselves; Student's t makes an interval of it.

Source: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 3rd edition, 5.2 (the seasonal mean), 5.5
(prediction intervals); Box, Jenkins and Reinsel, "Time Series Analysis", 3.2 (the autocovariance of AR(1)).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

WEEK = 7
_MOST_ALIKE = 0.9
# Quantiles of Student's t for a central 80 %, by degrees of freedom (one-sided 0.9).
_T90 = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372)
_Z90 = 1.2816


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a period will come to, in the unit of the series.

    Attributes:
        so_far: what is known of the period.
        expected: *so_far* and what is expected of the rest.
        low, high: 80 % of periods like this end between them; None with fewer than three values.
        learned_from: how many values the means are from.
    """

    so_far: int
    expected: int
    low: int | None
    high: int | None
    learned_from: int


def forecast(past: Sequence[int], so_far: int, ahead: int, season: int = WEEK) -> Forecast:
    """Say what a period will come to.

    Args:
        past: whole steps (days, hours) before now, oldest first; those of the period itself are among them.
        so_far: the period's sum up to now.
        ahead: steps that are still to come, the first being the one after the last of *past*.
        season: steps after which the same pattern begins anew; with less than two of them known, one mean is taken.
    """
    if ahead <= 0 or not past:
        return Forecast(so_far, so_far, so_far if ahead <= 0 else None, so_far if ahead <= 0 else None, len(past))
    step = season if len(past) >= 2 * season else 1
    groups = [past[place::step] for place in range(step)]
    means = [sum(group) / len(group) for group in groups]
    errors = [value - means[at % step] for at, value in enumerate(past)]
    coming = [(len(past) + at) % step for at in range(ahead)]
    expected = so_far + sum(means[place] for place in coming)
    freedom = len(past) - step
    if freedom < 2:
        return Forecast(so_far, round(expected), None, None, len(past))
    variance = sum(error * error for error in errors) / freedom
    sure = (
        sum(coming.count(place) ** 2 / len(groups[place]) for place in set(coming))
        if step > 1
        else (ahead * ahead / len(past))
    )
    alike = _alike(errors)
    spread = _t90(freedom) * math.sqrt(variance * (_sum_variance(ahead, alike) + sure * _longer(alike)))
    low = max(so_far, round(expected - spread)) if min(past) >= 0 else round(expected - spread)
    return Forecast(so_far, round(expected), low, round(expected + spread), len(past))


def _alike(errors: Sequence[float]) -> float:
    """The first autocorrelation, less its known lean towards zero in short series; never negative."""
    squares = sum(error * error for error in errors)
    if squares == 0:
        return 0.0
    found = sum(one * other for one, other in itertools.pairwise(errors)) / squares
    lean = (1 + 3 * found) / len(errors)
    return min(_MOST_ALIKE, max(0.0, found + lean))


def _sum_variance(count: int, alike: float) -> float:
    """The variance of a sum of *count* errors of variance one."""
    return count + 2 * sum((count - lag) * alike**lag for lag in range(1, min(count, 200)))


def _longer(alike: float) -> float:
    """How much less sure means are when neighbours are alike."""
    return (1 + alike) / (1 - alike)


def _t90(freedom: int) -> float:
    return _T90[freedom - 1] if freedom <= len(_T90) else _Z90 * (1 + 0.66 / freedom)
