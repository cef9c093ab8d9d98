"""What can happen to what may be used."""

from primeur.core.events.base import Event


class BudgetSet(Event, frozen=True):
    """A key, project, organisation or deployment may spend so much in a period."""

    budget_id: str
    scope: str
    period: str
    limit_nanos: int
    currency: str
    soft_nanos: int | None = None


class BudgetRemoved(Event, frozen=True):
    """A budget was taken away: what it bounded is free, but for other budgets."""

    budget_id: str
    scope: str


class LimitsSet(Event, frozen=True):
    """The limits of an organisation or a deployment are these from now on; None is no limit."""

    scope: str
    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    rpd: int | None = None
    tpd: int | None = None


class SharedLimitsLost(Event, frozen=True):
    """A process cannot reach whoever keeps the limits of all; *choice* says what it does meanwhile."""

    process: str
    reason: str
    choice: str


class SharedLimitsFound(Event, frozen=True):
    """A process reaches whoever keeps the limits of all again."""

    process: str


LimitsEvent = BudgetSet | BudgetRemoved | LimitsSet | SharedLimitsLost | SharedLimitsFound
