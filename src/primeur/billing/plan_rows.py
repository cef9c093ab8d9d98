"""Plans, subscriptions and their terms, as the database keeps them."""

import json
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from primeur.billing.rules.plans import Plan
from primeur.billing.rules.subscriptions import ENDED, Subscription, Term
from primeur.core.caller import Limits
from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import plans, subscription_terms, subscriptions

_SAME = (
    "id", "name", "currency", "fee_nanos", "included_tokens", "created_ms", "overage_nanos", "seats",
    "seat_fee_nanos", "trial_days", "removed_ms",
)  # fmt: skip
_LIMITS = Limits.__slots__


def add_plan(tx: Tx, plan: Plan) -> None:
    """Keep a new plan.

    Raises:
        Conflict: one that is not removed has its name.
    """
    if any(one.name == plan.name and one.removed_ms is None for one in list_plans(tx)):
        raise Conflict(f"there is a plan {plan.name!r} already; plans do not change, so give the new one another name")
    names = None if plan.deployments is None else json.dumps(sorted(plan.deployments))
    limits = {name: getattr(plan.limits, name) for name in _LIMITS}
    tx.execute(insert(plans).values(**{name: getattr(plan, name) for name in _SAME}, deployments=names, **limits))


def remove_plan(tx: Tx, plan: Plan, now_ms: int) -> None:
    """Take a plan off the list; what was charged by it keeps it."""
    tx.execute(update(plans).where(plans.c.id == plan.id).values(removed_ms=now_ms))


def list_plans(tx: Tx) -> list[Plan]:
    """Give every plan, oldest first, removed ones too."""
    return [_plan(row) for row in tx.execute(select(plans).order_by(plans.c.created_ms, plans.c.id))]


def find_plan(tx: Tx, name_or_id: str) -> Plan:
    """Give one plan by its id, or by its name if it is not removed.

    Raises:
        NotFound: there is none.
    """
    for plan in list_plans(tx):
        if plan.id == name_or_id or (plan.name == name_or_id and plan.removed_ms is None):
            return plan
    raise NotFound(f"there is no plan {name_or_id!r}; `primeur plans list` shows those there are")


def count_subscribers(tx: Tx, plan: Plan, now_ms: int) -> int:
    """Count subscriptions that are under *plan* now or will be."""
    c = subscription_terms.c
    open_ = c.to_ms.is_(None) | (c.to_ms > now_ms)
    query = select(func.count(c.subscription_id.distinct())).where(c.plan_id == plan.id, open_)
    return int(tx.execute(query).scalar_one())


def add_subscription(tx: Tx, subscription: Subscription, terms: tuple[Term, ...]) -> None:
    """Keep a new subscription with its terms.

    Raises:
        Conflict: the customer has one that has not ended.
    """
    if any(one.state != ENDED for one in list_subscriptions(tx, subscription.customer_id)):
        raise Conflict("the customer has a subscription already; change or cancel that one")
    names = ("id", "customer_id", "state", "created_ms", "trial_ends_ms", "ends_ms")
    tx.execute(insert(subscriptions).values(**{name: getattr(subscription, name) for name in names}))
    put_terms(tx, subscription.id, terms)


def move_subscription(tx: Tx, before: Subscription, state: str, ends_ms: int | None) -> Subscription:
    """Move a subscription on, if it is still in the state it was read in.

    Raises:
        Conflict: somebody else has moved it meanwhile.
    """
    c = subscriptions.c
    change = update(subscriptions).where(c.id == before.id, c.state == before.state)
    if tx.execute(change.values(state=state, ends_ms=ends_ms)).rowcount != 1:
        raise Conflict("the subscription has been changed meanwhile; look again")
    return Subscription(before.id, before.customer_id, state, before.created_ms, before.trial_ends_ms, ends_ms)


def put_terms(tx: Tx, subscription_id: str, terms: tuple[Term, ...]) -> None:
    """Replace the terms of a subscription."""
    tx.execute(delete(subscription_terms).where(subscription_terms.c.subscription_id == subscription_id))
    names = ("from_ms", "to_ms", "plan_id", "seats", "trial")
    rows = [{name: getattr(term, name) for name in names} | {"subscription_id": subscription_id} for term in terms]
    tx.execute(insert(subscription_terms), rows)


def list_subscriptions(tx: Tx, customer_id: str | None = None) -> list[Subscription]:
    """Give subscriptions, oldest first."""
    query = select(subscriptions).order_by(subscriptions.c.created_ms, subscriptions.c.id)
    if customer_id is not None:
        query = query.where(subscriptions.c.customer_id == customer_id)
    return [Subscription(**row._mapping) for row in tx.execute(query)]  # noqa: SLF001


def list_terms(tx: Tx, subscription_id: str) -> tuple[Term, ...]:
    """Give the terms of one subscription, in their order."""
    c = subscription_terms.c
    query = select(subscription_terms).where(c.subscription_id == subscription_id).order_by(c.from_ms)
    return tuple(Term(row.plan_id, row.seats, row.from_ms, row.to_ms, row.trial) for row in tx.execute(query))


def terms_of(tx: Tx, customer_id: str) -> tuple[Term, ...]:
    """Give the terms of all subscriptions that a customer ever had, in their order."""
    found = [term for one in list_subscriptions(tx, customer_id) for term in list_terms(tx, one.id)]
    return tuple(sorted(found, key=lambda term: term.from_ms))


def _plan(row: Row[Any]) -> Plan:
    names = None if row.deployments is None else frozenset(json.loads(row.deployments))
    limits = Limits(**{name: getattr(row, name) for name in _LIMITS})
    return Plan(**{name: getattr(row, name) for name in _SAME}, deployments=names, limits=limits)
