"""Plans and who is subscribed to them."""

import msgspec

from primeur.billing import customer_rows, plan_rows
from primeur.billing.rules.plans import Plan
from primeur.billing.rules.subscriptions import ENDED
from primeur.core.errors import BadRequest
from primeur.core.money import amount_of, price_per_million
from primeur.gateway.admin.page import LimitsView, Page, in_force, show_limits
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.store.database import Tx
from primeur.walks.add_customer import choose_customer, sees
from primeur.walks.add_plan import NewPlan, add_plan, remove_plan
from primeur.walks.subscribe import (
    NewSubscription,
    Outcome,
    SubscriptionChange,
    change_subscription,
    show_outcome,
    subscribe,
)


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan; *overage* is for a million tokens, null: what the deployment's price says."""

    id: str
    name: str
    currency: str
    fee: str
    included_tokens: int
    overage: str | None
    deployments: list[str] | None
    limits: LimitsView
    seats: int | None
    seat_fee: str | None
    trial_days: int
    removed_ms: int | None
    created_ms: int


class TermView(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch under one plan; *trial*: no fee."""

    plan: str
    seats: int
    from_ms: int
    to_ms: int | None
    trial: bool


class ChargedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a term costs within the running month."""

    plan: str
    seats: int
    from_ms: int
    to_ms: int
    fee: str
    included_tokens: int


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription.

    Attributes:
        month: what its terms cost in the running month; *month_fee* is their sum.
        before: what they would have cost without the change that was asked for.
        dry_run: it is only what would be.
    """

    id: str
    customer_id: str
    customer: str
    state: str
    currency: str
    terms: list[TermView]
    month: list[ChargedView]
    month_fee: str
    before: str
    trial_ends_ms: int | None
    ends_ms: int | None
    created_ms: int
    dry_run: bool = False


def show_plan(plan: Plan) -> PlanView:
    """Write a plan for the API."""
    same = ("id", "name", "currency", "included_tokens", "seats", "trial_days", "removed_ms", "created_ms")
    return PlanView(
        **{field: getattr(plan, field) for field in same},
        fee=amount_of(plan.fee_nanos),
        overage=None if plan.overage_nanos is None else price_per_million(plan.overage_nanos),
        deployments=None if plan.deployments is None else sorted(plan.deployments),
        limits=show_limits(plan.limits),
        seat_fee=None if plan.seat_fee_nanos is None else amount_of(plan.seat_fee_nanos),
    )


def show_subscription(outcome: Outcome, *, dry_run: bool = False) -> SubscriptionView:
    """Write a subscription for the API."""
    one, plans = outcome.subscription, outcome.plans
    return SubscriptionView(
        id="" if dry_run and outcome.before_nanos == 0 else one.id,
        customer_id=one.customer_id,
        customer=outcome.customer.name,
        state=one.state,
        currency=outcome.customer.currency,
        terms=[
            TermView(plan=plans[t.plan_id].name, seats=t.seats, from_ms=t.from_ms, to_ms=t.to_ms, trial=t.trial)
            for t in outcome.terms
        ],
        month=[
            ChargedView(
                plan=plans[each.plan_id].name,
                seats=each.seats,
                from_ms=each.span.from_ms,
                to_ms=each.span.to_ms,
                fee=amount_of(each.fee_nanos),
                included_tokens=each.included_tokens,
            )
            for each in outcome.charged
        ],
        month_fee=amount_of(outcome.nanos),
        before=amount_of(outcome.before_nanos),
        trial_ends_ms=one.trial_ends_ms,
        ends_ms=one.ends_ms,
        created_ms=one.created_ms,
        dry_run=dry_run,
    )


async def list_plans(visit: Visit) -> Answer:
    """``GET /api/v1/plans``: those that can be subscribed to, and those that were."""
    return json_answer(Page([show_plan(one) for one in await visit.house.store.read(plan_rows.list_plans)]))


async def get_plan(visit: Visit) -> Answer:
    """``GET /api/v1/plans/{plan}``."""
    name = visit.params["plan"]
    return json_answer(show_plan(await visit.house.store.read(lambda tx: plan_rows.find_plan(tx, name))))


async def post_plan(visit: Visit) -> Answer:
    """``POST /api/v1/plans``."""
    return json_answer(show_plan(await add_plan(visit.house, visit.caller, visit.read(NewPlan))), 201)


async def delete_plan(visit: Visit) -> Answer:
    """``DELETE /api/v1/plans/{plan}``."""
    return json_answer(show_plan(await remove_plan(visit.house, visit.caller, visit.params["plan"])))


async def list_subscriptions(visit: Visit) -> Answer:
    """``GET /api/v1/subscriptions``: those that have not ended."""

    def read(tx: Tx) -> Page[SubscriptionView]:
        running = {one.customer_id for one in plan_rows.list_subscriptions(tx) if one.state != ENDED}
        seen = [one for one in customer_rows.list_customers(tx) if one.id in running and sees(visit.caller, one)]
        return Page([show_subscription(show_outcome(tx, visit.house, one)) for one in seen])

    return json_answer(await visit.house.store.read(read))


async def get_subscription(visit: Visit) -> Answer:
    """``GET /api/v1/subscriptions/{customer}``."""

    def read(tx: Tx) -> SubscriptionView:
        customer = choose_customer(tx, visit.caller, visit.params["customer"])
        return show_subscription(show_outcome(tx, visit.house, customer))

    return json_answer(await visit.house.store.read(read))


async def post_subscription(visit: Visit) -> Answer:
    """``POST /api/v1/subscriptions/{customer}``."""
    ask = visit.read(NewSubscription)
    outcome = await subscribe(visit.house, visit.caller, visit.params["customer"], ask)
    return await in_force(visit, show_subscription(outcome, dry_run=ask.dry_run), 201)


async def patch_subscription(visit: Visit) -> Answer:
    """``PATCH /api/v1/subscriptions/{customer}``."""
    ask = visit.read(SubscriptionChange)
    if ask.action != "change" and (ask.plan is not None or ask.seats is not None):
        raise BadRequest("only a change names a plan or seats; leave them out")
    outcome = await change_subscription(visit.house, visit.caller, visit.params["customer"], ask)
    return await in_force(visit, show_subscription(outcome, dry_run=ask.dry_run))


_PLAN, _ONE = "/api/v1/plans/{plan}", "/api/v1/subscriptions/{customer}"
DOORS = (
    Door("GET", "/api/v1/plans", list_plans, "List plans", "plans:read", face="admin", gives=Page[PlanView]),
    Door("POST", "/api/v1/plans", post_plan, "Offer a plan", "plans:write", tells="PlanAdded", face="admin",
         takes=NewPlan, gives=PlanView, status=201),
    Door("GET", _PLAN, get_plan, "Show a plan", "plans:read", face="admin", gives=PlanView),
    Door("DELETE", _PLAN, delete_plan, "Take a plan off the list", "plans:write", tells="PlanRemoved", face="admin",
         gives=PlanView),
    Door("GET", "/api/v1/subscriptions", list_subscriptions, "List subscriptions", "billing:read", face="admin",
         gives=Page[SubscriptionView]),
    Door("GET", _ONE, get_subscription, "Show a customer's subscription", "billing:read", face="admin",
         gives=SubscriptionView),
    Door("POST", _ONE, post_subscription, "Subscribe a customer to a plan", "billing:write",
         tells="SubscriptionMoved", face="admin", takes=NewSubscription, gives=SubscriptionView, status=201),
    Door("PATCH", _ONE, patch_subscription, "Change, cancel or resume a subscription", "billing:write",
         tells="SubscriptionMoved", face="admin", takes=SubscriptionChange, gives=SubscriptionView),
)  # fmt: skip
