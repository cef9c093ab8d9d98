"""The most work one provider could have done in time, by somebody who knows the future: the fluid bound."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Supply:
    """Work that a provider can do by a moment: a steady rate, none during outages.

    Attributes:
        work_per_us: while it works.
        outages_us: (start, end), sorted, apart from each other.
    """

    work_per_us: float
    outages_us: Sequence[tuple[int, int]] = ()

    def worked_us(self, moment_us: float) -> float:
        """Give how long the provider has been up since time 0."""
        lost = sum(min(moment_us, end) - start for start, end in self.outages_us if start < moment_us)
        return moment_us - lost

    def moment_us(self, worked_us: float) -> float:
        """Give the moment at which the provider has been up for so long; the inverse of `worked_us`."""
        ups = [self.worked_us(start) for start, _ in self.outages_us]
        passed = bisect_right(ups, worked_us - 1e-9)
        return worked_us + sum(end - start for start, end in self.outages_us[:passed])


def spilled_at_least(
    arrivals_us: Sequence[int], work: Sequence[float], supply: Supply, patience_us: int
) -> list[float]:
    """Give, per request, the work that no policy can get done within *patience_us* of its arrival.

    Work may be cut into any pieces and the future is known, so the sum is a lower bound for every policy. It is exact
    for cut work: units of work that can be done in time form a transversal matroid, in which taking whatever still
    fits, in any order, ends with the most that fits; and with one patience for all, first come is earliest deadline.

    Returns:
        spilled work, work tokens, in the order of the arrivals.
    """
    backlog, before_us = 0.0, 0.0
    spilled = []
    steady = not supply.outages_us
    for at_us, size in zip(arrivals_us, work, strict=True):
        now_us = at_us if steady else supply.worked_us(at_us)
        backlog = max(0.0, backlog - supply.work_per_us * (now_us - before_us))
        before_us = now_us
        until_us = patience_us if steady else supply.worked_us(at_us + patience_us) - now_us
        taken = max(0.0, min(size, supply.work_per_us * until_us - backlog))
        backlog += taken
        spilled.append(size - taken)
    return spilled
