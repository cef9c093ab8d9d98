"""Subscribe a customer to a plan, change it up or down, cancel and resume; each can be tried first."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec

from primeur.billing import plan_rows as rows
from primeur.billing.customer_rows import Customer
from primeur.billing.rules.periods import month_of
from primeur.billing.rules.plans import Plan, check_currency
from primeur.billing.rules.subscriptions import (
    CANCELLED,
    ENDED,
    SUBSCRIPTION,
    TRIALING,
    Charged,
    Subscription,
    Term,
    change_terms,
    charge_terms,
    cut_terms,
    first_terms,
    resume_terms,
    term_at,
)
from primeur.core.caller import Caller
from primeur.core.errors import Conflict, NotFound
from primeur.core.events import SubscriptionMoved
from primeur.core.ids import make_id
from primeur.store.database import Tx, tell
from primeur.walks.add_customer import choose_customer
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.take_seat import check_people

Seats = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
When = Literal["now", "period_end"]


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer subscribes to.

    Attributes:
        plan: name or id.
        dry_run: only say what would be.
    """

    plan: str
    seats: Seats = 1
    dry_run: bool = False


class SubscriptionChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; what is not given stays.

    Attributes:
        action: ``change`` the plan or the seats, ``cancel``, or ``resume`` what was cancelled.
        when: at once, charging each plan for its part of the month, or with the next month.
        dry_run: only say what would be.
    """

    action: Literal["change", "cancel", "resume"] = "change"
    plan: str | None = None
    seats: Seats | None = None
    when: When = "now"
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A subscription as it is, or as it would be.

    Attributes:
        charged: what its terms cost in the month of the asking.
        before_nanos: what they would have cost without the change.
    """

    subscription: Subscription
    customer: Customer
    terms: tuple[Term, ...]
    plans: dict[str, Plan]
    charged: tuple[Charged, ...]
    before_nanos: int

    @property
    def nanos(self) -> int:
        """What the month's fees come to."""
        return sum(one.fee_nanos for one in self.charged)


class _Tried(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


async def subscribe(house: House, caller: Caller, customer: str, ask: NewSubscription) -> Outcome:
    """Subscribe a customer to a plan, from now on.

    Raises:
        BadRequest: another currency, or more people than the plan can take.
        Conflict: it has a subscription already.
        NotFound: there is no such customer or plan.
    """

    def work(tx: Tx) -> Outcome:
        now_ms = house.clock.now_ms()
        who, plan = choose_customer(tx, caller, customer), rows.find_plan(tx, ask.plan)
        check_currency(f"the plan {plan.name!r}", plan.currency, who.currency)
        check_people(tx, who, plan, ask.seats)
        state, terms = first_terms(plan, ask.seats, now_ms)
        ends_ms = terms[0].to_ms if state == TRIALING else None
        made = Subscription(make_id("subscription", now_ms, house.entropy), who.id, state, now_ms, ends_ms)
        rows.add_subscription(tx, made, terms)
        return _told(tx, house, caller, (made, who, terms), 0)

    return await _run(house, work, dry_run=ask.dry_run)


async def change_subscription(house: House, caller: Caller, customer: str, ask: SubscriptionChange) -> Outcome:
    """Change, cancel or resume a customer's subscription.

    Raises:
        BadRequest: another currency, or more people than the plan can take.
        Conflict: not possible in its state, or it changes nothing.
        NotFound: there is no such customer, subscription or plan.
    """

    def work(tx: Tx) -> Outcome:
        now_ms = house.clock.now_ms()
        who = choose_customer(tx, caller, customer)
        before = running(tx, who)
        terms = rows.list_terms(tx, before.id)
        month = month_of(now_ms)
        cost = sum(one.fee_nanos for one in charge_terms(terms, _plans(tx), month))
        at_ms = now_ms if ask.when == "now" else month.to_ms
        if ask.action == "change":
            after, new = before, _changed(tx, who, terms, ask, at_ms)
        elif ask.action == "cancel":
            after, new = _moved(tx, before, "cancel", at_ms), cut_terms(terms, at_ms)
        else:
            after, new = _moved(tx, before, "resume", None), resume_terms(terms, now_ms)
        rows.put_terms(tx, after.id, new)
        return _told(tx, house, caller, (after, who, new), cost)

    return await _run(house, work, dry_run=ask.dry_run)


def running(tx: Tx, customer: Customer) -> Subscription:
    """Give a customer's subscription that has not ended.

    Raises:
        NotFound: there is none.
    """
    for one in rows.list_subscriptions(tx, customer.id):
        if one.state != ENDED:
            return one
    raise NotFound(f"{customer.name!r} has no subscription; `primeur subscriptions create` makes one")


def show_outcome(tx: Tx, house: House, customer: Customer) -> Outcome:
    """Give a customer's subscription as it is."""
    found = running(tx, customer)
    return _outcome(tx, house, (found, customer, rows.list_terms(tx, found.id)), None)


def _changed(tx: Tx, who: Customer, terms: tuple[Term, ...], ask: SubscriptionChange, at_ms: int) -> tuple[Term, ...]:
    held = term_at(terms, at_ms)
    if held is None:
        raise Conflict(f"the subscription of {who.name!r} does not run then; resume it first")
    plan = rows.find_plan(tx, ask.plan or held.plan_id)
    check_currency(f"the plan {plan.name!r}", plan.currency, who.currency)
    seats = ask.seats or held.seats
    check_people(tx, who, plan, seats)
    return change_terms(terms, plan, seats, at_ms)


def _moved(tx: Tx, before: Subscription, move: str, ends_ms: int | None) -> Subscription:
    state = SUBSCRIPTION.after(before.state, move)
    return rows.move_subscription(tx, before, state, ends_ms if state == CANCELLED else None)


def _told(
    tx: Tx, house: House, caller: Caller, made: tuple[Subscription, Customer, tuple[Term, ...]], before_nanos: int
) -> Outcome:
    subscription, who, terms = made
    now_ms = house.clock.now_ms()
    held = term_at(terms, now_ms) or terms[-1]
    what = SubscriptionMoved(subscription.id, who.id, subscription.state, held.plan_id)
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms)
    return _outcome(tx, house, made, before_nanos)


def _outcome(
    tx: Tx, house: House, made: tuple[Subscription, Customer, tuple[Term, ...]], before_nanos: int | None
) -> Outcome:
    plans = _plans(tx)
    charged = charge_terms(made[2], plans, month_of(house.clock.now_ms()))
    outcome = Outcome(*made, plans, charged, 0)
    return replace(outcome, before_nanos=outcome.nanos if before_nanos is None else before_nanos)


def _plans(tx: Tx) -> dict[str, Plan]:
    return {plan.id: plan for plan in rows.list_plans(tx)}


async def _run(house: House, work: Callable[[Tx], Outcome], *, dry_run: bool) -> Outcome:
    """Do it, or do it and undo it: a trial run is the real run up to its last step."""

    def tried(tx: Tx) -> Outcome:
        raise _Tried(work(tx))

    try:
        return await house.store.transact(tried if dry_run else work)
    except _Tried as done:
        return done.outcome
