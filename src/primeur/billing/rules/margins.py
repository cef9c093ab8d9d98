"""What groups of requests earn and cost, by currency; what has no price is counted and never taken for zero; pure."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Earned:
    """One currency of a group, in nanos.

    Attributes:
        bought_requests: those whose cost is in *cost*.
    """

    revenue: int = 0
    cost: int = 0
    share: int = 0
    bought_requests: int = 0

    @property
    def known_margin(self) -> int:
        """Revenue less the costs and shares that are known."""
        return self.revenue - self.cost - self.share

    @property
    def cost_per_request(self) -> int | None:
        """What a request costs on average, rounded down; None while no cost is known."""
        return self.cost // self.bought_requests if self.bought_requests else None


@dataclass(slots=True)
class MarginLine:
    """What one group of requests came to.

    Attributes:
        name: the group: an id, a name, or the day's first UTC millisecond; *label* the same for people.
        unsold, unbought: requests whose price of selling, or cost, is unknown.
    """

    name: str
    label: str
    requests: int = 0
    unsold: int = 0
    unbought: int = 0
    money: dict[str, Earned] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether every request has a price of selling and a cost."""
        return not self.unsold and not self.unbought

    def margin(self, currency: str) -> int | None:
        """Give the margin in a currency; None is *unknown*."""
        return self.money[currency].known_margin if self.is_known else None

    def add(self, side: str, currency: str, requests: int, nanos: int) -> None:
        """Count what was booked on one side."""
        earned = self.money.setdefault(currency, Earned())
        if side == "sold":
            earned.revenue += nanos
        elif side == "shared":
            earned.share += nanos
        elif side == "bought":
            earned.cost += nanos
            earned.bought_requests += requests


def total_of_lines(lines: list[MarginLine]) -> MarginLine:
    """Sum up groups."""
    total = MarginLine("total", "total")
    for line in lines:
        total.requests += line.requests
        total.unsold += line.unsold
        total.unbought += line.unbought
        for currency, one in line.money.items():
            earned = total.money.setdefault(currency, Earned())
            earned.revenue += one.revenue
            earned.cost += one.cost
            earned.share += one.share
            earned.bought_requests += one.bought_requests
    return total
