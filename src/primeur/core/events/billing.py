"""What can happen to plans, credits and invoices."""

from primeur.core.events.base import Event


class IssuerSet(Event, frozen=True):
    """Who invoices was said."""

    code: str


class CustomerAdded(Event, frozen=True):
    """An organisation or a project has become a customer."""

    customer_id: str
    name: str


class CustomerChanged(Event, frozen=True):
    """Where a customer's papers go, or how they look, has changed."""

    customer_id: str


class PlanAdded(Event, frozen=True):
    """A plan can be subscribed to."""

    plan_id: str
    name: str


class PlanRemoved(Event, frozen=True):
    """A plan can be subscribed to no more."""

    plan_id: str


class SubscriptionMoved(Event, frozen=True):
    """A subscription has begun, changed its plan or its state."""

    subscription_id: str
    customer_id: str
    state: str
    plan_id: str


class CreditGranted(Event, frozen=True):
    """Money or capacity was paid or given ahead."""

    grant_id: str
    holder: str
    currency: str
    nanos: int


class InvoiceIssued(Event, frozen=True):
    """An invoice or a credit note is final and has its number."""

    invoice_id: str
    number: str
    customer_id: str
    currency: str
    cents: int


class InvoiceMoved(Event, frozen=True):
    """An invoice was paid, or taken back by a credit note."""

    invoice_id: str
    number: str
    state: str


class StatementIssued(Event, frozen=True):
    """What a provider or a partner is owed for a month is final and has its number."""

    statement_id: str
    number: str
    kind: str
    party: str


class StatementPaid(Event, frozen=True):
    """A statement was paid."""

    statement_id: str
    number: str


class ProfitDistributed(Event, frozen=True):
    """A period's profit was shared out by tiers and posted."""

    distribution_id: str
    name: str
    period: str
    currency: str
    cents: int


class ProfitPaid(Event, frozen=True):
    """The parties of a distribution have been paid."""

    distribution_id: str
    name: str
    period: str


class TiersSet(Event, frozen=True):
    """Tiers by which profit is shared out were said."""

    waterfall_id: str
    name: str


class BudgetReached(Event, frozen=True):
    """A budget's soft or hard limit was reached, for the first time in its period."""

    budget_id: str
    scope: str
    threshold: str
    currency: str
    spent_nanos: int


class AlertTargetAdded(Event, frozen=True):
    """Somebody is told when budgets are reached."""

    target_id: str
    kind: str


class AlertTargetRemoved(Event, frozen=True):
    """Somebody is told no more."""

    target_id: str


class MailAbandoned(Event, frozen=True):
    """A mail was tried for the last time."""

    mail_id: str
    fault: str


BillingEvent = (
    IssuerSet
    | CustomerAdded
    | CustomerChanged
    | PlanAdded
    | PlanRemoved
    | SubscriptionMoved
    | CreditGranted
    | InvoiceIssued
    | InvoiceMoved
    | StatementIssued
    | StatementPaid
    | ProfitDistributed
    | ProfitPaid
    | TiersSet
    | BudgetReached
    | AlertTargetAdded
    | AlertTargetRemoved
    | MailAbandoned
)
