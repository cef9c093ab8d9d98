"""How much capacity to commit to: the least expected cost on recent demand, and a guard against a wrong forecast."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

from primeur.core.errors import BadRequest

# How far the level of demand may be from that of one day that was seen, as a standard deviation.
_UNSEEN = 0.3


@dataclass(frozen=True, slots=True)
class Market:
    """What capacity costs, per unit and hour.

    Attributes:
        on_demand: what is not committed costs this, when it is used.
        holder, third: committed prices, paid whether used or not.
        holder_units: the most units that the holder has.
        floor: the holder takes no offer below this price.
    """

    on_demand: float
    holder: float
    third: float
    holder_units: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Refuse prices that make no market.

        Raises:
            BadRequest: names the price.
        """
        for name in ("on_demand", "holder", "third"):
            if not 0 < getattr(self, name) < 1e9:
                raise BadRequest(f"the {name.replace('_', '-')} price is {getattr(self, name)}; it must be above zero")
        if self.holder_units < 0:
            raise BadRequest("the holder's units must be zero or more")

    def committed(self, units: int) -> float:
        """Give the price of an hour of so many committed units, the holder's taken first."""
        own = min(units, self.holder_units)
        return own * self.holder + (units - own) * self.third

    @property
    def cheapest(self) -> float:
        """No unit-hour costs less than this."""
        return min(self.holder, self.third, self.on_demand)


def widen(demand: Sequence[float], days: float) -> list[float]:
    """Spread demand by what so many days leave unknown about the level of the coming ones.

    Each window stands for three, as it was, higher and lower, which have its mean and a relative standard deviation
    that falls with the square root of the days.

    Source: Box and Jenkins (1970), "Time series analysis": a prediction allows for what the estimate does not know.
    """
    apart = sqrt(1.5) * _UNSEEN / sqrt(max(1.0, days))
    return [wanted * factor for factor in (1.0 - apart, 1.0, 1.0 + apart) for wanted in demand]


def units_to_hold(demand: Sequence[float], market: Market) -> int:
    """Give the whole number of units whose expected hourly cost is least, if demand stays as it was.

    Args:
        demand: units wanted, one number a window of equal length, in any order.

    Source: Arrow, Harris and Marschak (1951), "Optimal inventory policy": the newsvendor, here with two prices.
    """
    if not demand:
        return 0
    wanted = sorted(demand)
    sums = [0.0, *accumulate(wanted)]
    best, least = 0, float("inf")
    for units in range(int(wanted[-1]) + 2):
        below = bisect_left(wanted, units)
        lacking = (sums[-1] - sums[below]) - units * (len(wanted) - below)
        cost = market.committed(units) + market.on_demand * lacking / len(wanted)
        if cost < least - 1e-12:
            best, least = units, cost
    return best


@dataclass(frozen=True, slots=True)
class Trust:
    """What the forecast has earned: commitments are made only while it has not lost what break-even would not lose.

    With *bound* = `break_even_bound`, committing only while *idle* is at most *allowed* keeps the whole cost at most
    bound * optimum + the price of the unit-hours that were committed, and not yet delivered, when that ended. For
    every unit-hour of demand costs the optimum at least the cheapest price, so it is enough that
    on_demand * bought + dearest * (used + idle) <= bound * cheapest * (used + bought).

    Attributes:
        used, idle: committed unit-hours so far.
        bought: unit-hours bought on demand so far.
    """

    used: float = 0.0
    idle: float = 0.0
    bought: float = 0.0

    def after(self, demand: float, units: float, hours: float) -> "Trust":
        """Count one window of demand against the committed units."""
        used = min(demand, units)
        return Trust(
            self.used + used * hours, self.idle + (units - used) * hours, self.bought + (demand - used) * hours
        )

    def allows(self, market: Market) -> bool:
        """Say whether to go on committing by forecast."""
        bound, dearest = break_even_bound(market), max(market.holder, market.third)
        budget = bound * market.cheapest * (self.used + self.bought)
        return market.on_demand * self.bought + dearest * (self.used + self.idle) <= budget


def break_even_bound(market: Market) -> float:
    """Give how many times the optimum the break-even policy may cost at worst.

    Source: Karlin et al. (1988), "Competitive snoopy caching", ski rental: 2 when committing is worth while; buying
    everything on demand costs at most the ratio of the prices.
    """
    dearest = max(market.holder, market.third)
    return max(2.0 * dearest, market.on_demand) / market.cheapest


def break_even_cost(demand: Sequence[float], window_hours: float, block_windows: int, market: Market) -> float:
    """Give the cost of committing unit by unit, each once its demand of the last block would have paid for it.

    It needs no history and no forecast. The price is the holder's for its units, then the third party's.

    Args:
        demand: units wanted, one number a window, oldest first.
    """
    total = 0.0
    for level in range(int(max(demand, default=0.0)) + 1):
        price = market.holder if level < market.holder_units else market.third
        total += _one_unit([min(1.0, max(0.0, d - level)) for d in demand], block_windows, market.on_demand, price)
    return total * window_hours


def _one_unit(wanted: Sequence[float], block: int, on_demand: float, committed: float) -> float:
    cost, recent, until = 0.0, 0.0, 0
    since = 0
    for window, want in enumerate(wanted):
        if window < until:
            cost += committed
            since = window + 1
            recent = 0.0
            continue
        if window - since >= block:
            recent -= wanted[window - block]
        recent += want
        cost += on_demand * want
        if on_demand * recent >= committed * block:
            until = window + 1 + block
    return cost
