"""Ask what a recorded month would have come to at another price, under another plan, with another share.

The usage is what was recorded; it is charged by the code that charges real months.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

import msgspec

from primeur.billing import plan_rows
from primeur.billing.customer_rows import Customer, list_customers
from primeur.billing.rules.charging import UsageSum, charge_month
from primeur.billing.rules.periods import Span, month_named
from primeur.billing.rules.subscriptions import Term
from primeur.billing.usage_rows import sum_days, sum_tokens
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.money import nanos_per_token
from primeur.core.price import Price
from primeur.metering.rules import charge
from primeur.store.database import Tx
from primeur.walks.add_customer import Currency, choose_customer, sees
from primeur.walks.house import House
from primeur.walks.invoice_month import projects_of

Percent = Annotated[str, msgspec.Meta(max_length=10, pattern=r"^[0-9]{1,3}(\.[0-9]{1,6})?$")]


class WhatIf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What would be different.

    Attributes:
        period: a month such as ``2026-11``.
        prices: ``DEPLOYMENT=INPUT/OUTPUT`` or ``.../CACHED``, of a million tokens, apart by commas.
        plans: ``CUSTOMER=PLAN`` held for the whole month, ``CUSTOMER=`` for none, apart by commas.
        share: percent of revenue that a partner gets.
        currency: of the prices.
    """

    period: Annotated[str, msgspec.Meta(max_length=8)]
    prices: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    plans: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    share: Percent = "0"
    currency: Currency = "EUR"


@dataclass(frozen=True, slots=True)
class Supposed:
    """One customer's month, before credits, in nanos: as it was and as it would have been."""

    customer: Customer
    was_nanos: int
    would_be_nanos: int
    share_nanos: int

    @property
    def after_share_nanos(self) -> int:
        """What would be left after the partner's share."""
        return self.would_be_nanos - self.share_nanos


async def ask_what_if(house: House, caller: Caller, ask: WhatIf) -> list[Supposed]:
    """Suppose; nothing is written.

    Raises:
        BadRequest: a price that is none, more than 100 %, or a mix of currencies.
        NotFound: there is no such customer or plan.
    """
    month = month_named(ask.period)
    share = Fraction(ask.share) / 100
    if share > 1:
        raise BadRequest(f"a share of {ask.share} % is more than there is", param="share")

    prices = {name: _price(text, ask.currency) for name, text in _pairs(ask.prices, "prices")}

    def read(tx: Tx) -> list[Supposed]:
        chosen = {choose_customer(tx, caller, name).id: plan for name, plan in _pairs(ask.plans, "plans")}
        seen = [one for one in list_customers(tx) if sees(caller, one)]
        return [_suppose(tx, one, month, prices, (chosen.get(one.id), share)) for one in seen]

    return await house.store.read(read)


def _suppose(
    tx: Tx, customer: Customer, month: Span, prices: Mapping[str, Price], changed: tuple[str | None, Fraction]
) -> Supposed:
    plan_name, share = changed
    plans = {plan.id: plan for plan in plan_rows.list_plans(tx)}
    terms, mine = plan_rows.terms_of(tx, customer.id), projects_of(tx, customer)
    usage = sum_days(tx, month, mine)
    was = charge_month(month, usage, terms, plans, customer.currency).nanos
    if plan_name is not None:
        terms = _held(tx, plan_name, month)
    other = _rated(tx, month, mine, usage, prices)
    would_be = charge_month(month, other, terms, plans, customer.currency).nanos
    return Supposed(customer, was, would_be, max(0, would_be) * share.numerator // share.denominator)


def _held(tx: Tx, plan_name: str, month: Span) -> tuple[Term, ...]:
    return (Term(plan_rows.find_plan(tx, plan_name).id, 1, month.from_ms),) if plan_name else ()


def _rated(tx: Tx, month: Span, mine: set[str], usage: list[UsageSum], prices: Mapping[str, Price]) -> list[UsageSum]:
    """The recorded usage at other prices; sums can be rated at once, because a price is so much a token."""
    if not prices:
        return usage
    kept = [one for one in usage if one.deployment not in prices]
    for (day_ms, name), (count, tokens) in sum_tokens(tx, month, mine).items():
        if name in prices:
            cost = charge(tokens, prices[name]) or 0
            kept.append(UsageSum(day_ms, name, count, tokens.total_tokens, cost, prices[name].currency))
    return kept


def _pairs(text: str, param: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for one in filter(None, text.split(",")):
        name, equals, value = one.rpartition("=")
        if not equals or not name:
            raise BadRequest(f"write NAME=VALUE, not {one!r}", param=param)
        found.append((name, value))
    return found


def _price(text: str, currency: str) -> Price:
    parts = text.split("/")
    if len(parts) not in {2, 3}:
        raise BadRequest(f"a price is INPUT/OUTPUT or INPUT/OUTPUT/CACHED, not {text!r}", param="prices")
    sold, made, cached = nanos_per_token(parts[0]), nanos_per_token(parts[1]), nanos_per_token(parts[-1])
    return Price("what-if", currency, sold, cached if parts[2:] else sold, made)
