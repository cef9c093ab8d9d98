"""Subscriptions: a state machine, and the terms that say which plan held when; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from primeur.billing.rules.periods import DAY_MS, Span
from primeur.billing.rules.plans import Plan, month_fee, part
from primeur.core.errors import Conflict
from primeur.core.machine import Machine

TRIALING = "trialing"  # the plan's trial runs; its fee is not charged
ACTIVE = "active"  # the fee is charged
PAST_DUE = "past_due"  # an invoice is overdue; the plan still serves
CANCELLED = "cancelled"  # serves until its end
ENDED = "ended"  # serves no more

SUBSCRIPTION = Machine(
    "subscription",
    {
        (TRIALING, "begin"): ACTIVE,
        (TRIALING, "cancel"): CANCELLED,
        (ACTIVE, "miss"): PAST_DUE,
        (PAST_DUE, "pay"): ACTIVE,
        (ACTIVE, "cancel"): CANCELLED,
        (PAST_DUE, "cancel"): CANCELLED,
        (CANCELLED, "resume"): ACTIVE,
        (CANCELLED, "end"): ENDED,
    },
)

_FOREVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Subscription:
    """A customer's subscription.

    Attributes:
        trial_ends_ms: None when there was no trial.
        ends_ms: when a cancelled one stops serving.
    """

    id: str
    customer_id: str
    state: str
    created_ms: int
    trial_ends_ms: int | None = None
    ends_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A stretch of time under one plan; the terms of a subscription follow each other without a gap.

    Attributes:
        to_ms: None: until further notice.
        trial: no fee.
    """

    plan_id: str
    seats: int
    from_ms: int
    to_ms: int | None = None
    trial: bool = False

    @property
    def span(self) -> Span:
        """Its time, open ends being far away."""
        return Span(self.from_ms, _FOREVER if self.to_ms is None else self.to_ms)


def first_terms(plan: Plan, seats: int, now_ms: int) -> tuple[str, tuple[Term, ...]]:
    """Give the state and the terms of a subscription that begins now, its trial first."""
    month_fee(plan, seats)
    if not plan.trial_days:
        return ACTIVE, (Term(plan.id, seats, now_ms),)
    ends_ms = now_ms + plan.trial_days * DAY_MS
    return TRIALING, (Term(plan.id, seats, now_ms, ends_ms, trial=True), Term(plan.id, seats, ends_ms))


def change_terms(terms: Sequence[Term], plan: Plan, seats: int, at_ms: int) -> tuple[Term, ...]:
    """Give the terms after a change of plan or seats at *at_ms*; what was before stays, a trial keeps its end.

    Raises:
        BadRequest: more people than the plan can take.
        Conflict: the subscription has no term then, or lies under that plan already.
    """
    month_fee(plan, seats)
    found = term_at(terms, at_ms)
    if found is None:
        raise Conflict("the subscription does not run at that time; subscribe anew")
    if (found.plan_id, found.seats) == (plan.id, seats):
        raise Conflict(f"the subscription is under the plan {plan.name!r} with {seats} seats already")
    after = [
        replace(term, plan_id=plan.id, seats=seats, from_ms=max(term.from_ms, at_ms))
        for term in terms
        if term.span.to_ms > at_ms
    ]
    return (*cut_terms(terms, at_ms), *after)


def cut_terms(terms: Sequence[Term], at_ms: int) -> tuple[Term, ...]:
    """Give the terms as they are when nothing runs from *at_ms* on."""
    return tuple(replace(term, to_ms=min(term.span.to_ms, at_ms)) for term in terms if term.from_ms < at_ms)


def resume_terms(terms: Sequence[Term], now_ms: int) -> tuple[Term, ...]:
    """Give the terms when the last plan goes on from now, whatever end it had; a trial is over with it."""
    last = terms[-1]
    return (*cut_terms(terms, now_ms), Term(last.plan_id, last.seats, now_ms))


def term_at(terms: Sequence[Term], at_ms: int) -> Term | None:
    """Give the term that holds at a moment."""
    return next((term for term in terms if term.span.holds(at_ms)), None)


def due_move(subscription: Subscription, now_ms: int) -> str | None:
    """Give the move that the clock asks for; None when there is none."""
    if subscription.state == TRIALING and subscription.trial_ends_ms is not None:
        return "begin" if now_ms >= subscription.trial_ends_ms else None
    if subscription.state == CANCELLED and subscription.ends_ms is not None:
        return "end" if now_ms >= subscription.ends_ms else None
    return None


@dataclass(frozen=True, slots=True)
class Charged:
    """What one term costs within a month.

    Attributes:
        seats: people it was booked for.
    """

    plan_id: str
    span: Span
    seats: int
    fee_nanos: int
    included_tokens: int


def charge_terms(terms: Sequence[Term], plans: dict[str, Plan], month: Span) -> tuple[Charged, ...]:
    """Give each term's part of a month: fee and included tokens by the rule of `part`; a trial has no fee."""
    found: list[Charged] = []
    for term in terms:
        piece = term.span.within(month)
        if piece is not None:
            plan = plans[term.plan_id]
            fee = 0 if term.trial else part(month_fee(plan, term.seats), month, piece)
            found.append(Charged(plan.id, piece, term.seats, fee, part(plan.included_tokens, month, piece)))
    return tuple(found)
