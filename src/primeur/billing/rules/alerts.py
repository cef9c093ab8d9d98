"""When a budget has something to say: each threshold once in each period; pure."""

from collections.abc import Collection
from dataclasses import dataclass

SOFT = "soft"
HARD = "hard"


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """A budget and what was spent of it.

    Attributes:
        scope: whose it is, such as ``project:prj_06f3``.
        period_ms: when the period began that *spent_nanos* is about, UTC milliseconds.
        soft_nanos, hard_nanos: None is no such limit.
    """

    id: str
    scope: str
    name: str
    currency: str
    period_ms: int
    spent_nanos: int
    soft_nanos: int | None = None
    hard_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A threshold that was reached."""

    budget: BudgetStanding
    threshold: str
    limit_nanos: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes it one: budget, threshold and period."""
        return self.budget.id, self.threshold, self.budget.period_ms


def reached(standing: BudgetStanding, told: Collection[tuple[str, str, int]]) -> list[Alert]:
    """Give the thresholds that are reached and were not told of in this period, soft before hard."""
    limits = ((SOFT, standing.soft_nanos), (HARD, standing.hard_nanos))
    found = [
        Alert(standing, name, limit) for name, limit in limits if limit is not None and standing.spent_nanos >= limit
    ]
    return [alert for alert in found if alert.key not in told]
