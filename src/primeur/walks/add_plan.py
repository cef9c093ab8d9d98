"""Offer a plan, or take it off the list."""

from typing import Annotated

import msgspec

from primeur.billing import plan_rows as rows
from primeur.billing.rules.plans import Plan, check_removal
from primeur.core.caller import Caller
from primeur.core.events import PlanAdded, PlanRemoved
from primeur.core.ids import make_id
from primeur.core.money import nanos_of, nanos_per_token
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.add_customer import Currency
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.limit_fields import NewLimits, new_limits

Amount = Annotated[str, msgspec.Meta(max_length=30)]


class NewPlan(NewLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a plan shall be; amounts are decimals in text.

    Attributes:
        fee: of a calendar month.
        included_tokens: of a month, input and output together.
        overage: a million tokens beyond those; null: what the deployment's price says.
        deployments: names that may be used; null is all.
        rpm, tpm, concurrency, rpd, tpd: the rate class, for all projects of the customer together.
        seats: people that the fee includes; null is any number.
        seat_fee: a month of one more; null: no more can be booked.
        trial_days: how long no fee is charged.
    """

    name: str
    currency: Currency = "EUR"
    fee: Amount = "0"
    included_tokens: Annotated[int, msgspec.Meta(ge=0, le=1 << 50)] = 0
    overage: Amount | None = None
    deployments: list[str] | None = None
    seats: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    seat_fee: Amount | None = None
    trial_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0


async def add_plan(house: House, caller: Caller, ask: NewPlan) -> Plan:
    """Offer a plan; it never changes, so that what was charged by it stays clear.

    Raises:
        BadRequest: an amount that is no number, or finer than one nano.
        Conflict: its name is taken.
    """

    def work(tx: Tx) -> Plan:
        now_ms = house.clock.now_ms()
        plan = Plan(
            id=make_id("plan", now_ms, house.entropy),
            name=check_name(ask.name, "plan"),
            currency=ask.currency,
            fee_nanos=nanos_of(ask.fee, "fee"),
            included_tokens=ask.included_tokens,
            created_ms=now_ms,
            overage_nanos=None if ask.overage is None else nanos_per_token(ask.overage),
            deployments=None if ask.deployments is None else frozenset(ask.deployments),
            limits=new_limits(ask),
            seats=ask.seats,
            seat_fee_nanos=None if ask.seat_fee is None else nanos_of(ask.seat_fee, "seat_fee"),
            trial_days=ask.trial_days,
        )
        rows.add_plan(tx, plan)
        tell(tx, PlanAdded(plan.id, plan.name), actor=actor_of(caller), at_ms=now_ms)
        return plan

    return await house.store.transact(work)


async def remove_plan(house: House, caller: Caller, name: str) -> Plan:
    """Take a plan off the list.

    Raises:
        Conflict: somebody is subscribed to it, or it is removed already.
        NotFound: there is no such plan.
    """

    def work(tx: Tx) -> Plan:
        now_ms = house.clock.now_ms()
        plan = rows.find_plan(tx, name)
        check_removal(plan, rows.count_subscribers(tx, plan, now_ms))
        rows.remove_plan(tx, plan, now_ms)
        tell(tx, PlanRemoved(plan.id), actor=actor_of(caller), at_ms=now_ms)
        return rows.find_plan(tx, plan.id)

    return await house.store.transact(work)
