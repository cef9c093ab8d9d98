"""Set a price by units: what a provider or a GPU costs, what one customer pays, or a list price beyond tokens."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from primeur.billing.rules.stating import PROVIDER
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import RateSet
from primeur.core.ids import make_id
from primeur.core.money import nanos_of, nanos_per_token
from primeur.core.price import Price
from primeur.metering import rate_rows, rows
from primeur.metering.rates import TOKEN_UNITS, UNITS, Rate, Side, check_rate
from primeur.registry.deployment_rows import list_deployments, list_revisions
from primeur.registry.rows import list_providers
from primeur.store.database import Tx, tell
from primeur.walks.add_customer import Currency
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.keep_final import check_negotiated, check_open, check_stated
from primeur.walks.name_payer import name_payer
from primeur.walks.set_price import Begins, Decimal, begins, rate_of

Steps = Annotated[list["Step"], msgspec.Meta(min_length=1, max_length=20)]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tier: the price of what is beyond *above* of the unit."""

    above: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
    price: Decimal


Priced = Decimal | Steps | None


class NewRate(Begins, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price by units, decimals in text: of a million tokens, of one picture, request, GPU-second or GPU-hour.

    Attributes:
        provider: of buying: a provider, or an engine of ours.
        customer: of selling to one customer, organisation or project; neither this nor *provider*: the list price.
        deployment: name or alias; every one when not given.
        input, cached, output, reasoning, image, request, gpu_second, gpu_hour: one price, or steps that rise from 0.
        per: what steps count: one ``request``, or all of a ``month``.
        prepaid: of buying: taken from what was paid ahead.
    """

    provider: Annotated[str, msgspec.Meta(max_length=200)] = ""
    customer: Annotated[str, msgspec.Meta(max_length=200)] = ""
    deployment: Annotated[str, msgspec.Meta(max_length=200)] = ""
    currency: Currency = "EUR"
    input: Priced = None
    cached: Priced = None
    output: Priced = None
    reasoning: Priced = None
    image: Priced = None
    request: Priced = None
    gpu_second: Priced = None
    gpu_hour: Priced = None
    per: Literal["request", "month"] = "request"
    prepaid: bool = False


async def set_rate(house: House, caller: Caller, ask: NewRate) -> Rate:
    """Set a price; raises as `write_rate`."""
    return await house.store.transact(lambda tx: write_rate(tx, house, caller, ask))


def write_rate(tx: Tx, house: House, caller: Caller, ask: NewRate) -> Rate:
    """Set a price in a transaction that is open; earlier versions stay, for what was booked at them.

    Raises:
        BadRequest: no price, one that leaves tokens out, a mix of buying and selling.
        Conflict: it would begin before a paper that is final ends.
        NotFound: there is no such deployment, provider or customer.
    """
    now_ms = house.clock.now_ms()
    side, party = side_of(tx, caller, ask)
    rate = Rate(
        id=make_id("price", now_ms, house.entropy),
        side=side,
        party=party,
        subject=real_deployment(tx, ask.deployment).name if ask.deployment else "",
        currency=ask.currency,
        units=units_of(ask),
        from_ms=begins(ask, now_ms),
        created_ms=now_ms,
        prepaid=ask.prepaid,
        per=ask.per,
    )
    check_rate(rate)
    if side == "buy":
        check_stated(tx, PROVIDER, party, rate.from_ms)
    else:
        check_open(tx, party, rate.from_ms)
    if side == "sell" and party:
        check_negotiated(tx, party, rate.currency)
    known = rate_rows.list_rates(tx)
    before = next((one for one in known if _same(one, rate)), None)
    if side == "sell" and not party and not rate.subject:
        # A deployment's own list price comes before one for all, so it has to be among those by units.
        there = {one.id for one in known}
        for row in rows.list_prices(tx):
            if row.price.id not in there:
                rate_rows.add_rate(tx, rate_of(row))
    rate_rows.add_rate(tx, rate)
    if side == "sell" and not party and rate.subject and "input" in rate.units:
        # What requests are admitted and told at follows; what they are booked at is exact.
        rows.add_price(tx, _listed(rate))
    what = RateSet(rate.id, rate.side, rate.party, rate.subject)
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms, before=before, after=rate)
    return rate


def side_of(tx: Tx, caller: Caller, ask: NewRate) -> tuple[Side, str]:
    """Give whether *ask* is of buying or selling, and the party: a provider, or the id of who pays."""
    if ask.provider and ask.customer:
        raise BadRequest("a price is of buying (provider) or of selling (customer), not both", param="customer")
    if ask.provider:
        known = sellers(tx)
        if ask.provider not in known:
            there = ", ".join(sorted(known)) or "none"
            raise BadRequest(f"nothing is bought of {ask.provider!r}; there are {there}", param="provider")
        return "buy", ask.provider
    if ask.prepaid:
        raise BadRequest("only what is bought of a provider is prepaid; customers have credits", param="prepaid")
    return "sell", name_payer(tx, caller, ask.customer) if ask.customer else ""


def sellers(tx: Tx) -> set[str]:
    """Give whoever capacity is bought of: providers, and the engines that deployments run on."""
    running = {row.id for row in list_deployments(tx)}
    engines = {one.engine for one in list_revisions(tx) if one.engine and one.deployment_id in running}
    return {one.name for one in list_providers(tx)} | engines


def units_of(ask: NewRate) -> dict[str, Sequence[tuple[int, int]]]:
    """Read the prices as nanos for each unit.

    Raises:
        BadRequest: a price that is none, or finer than a nano.
    """
    found: dict[str, Sequence[tuple[int, int]]] = {}
    for unit in UNITS:
        said = getattr(ask, unit)
        if said is not None:
            steps = [Step(above=0, price=said)] if isinstance(said, str) else said
            found[unit] = tuple((step.above, _nanos(unit, step.price)) for step in steps)
    return found


def _nanos(unit: str, price: str) -> int:
    return nanos_per_token(price, unit) if unit in TOKEN_UNITS else nanos_of(price, unit)


def _listed(rate: Rate) -> rows.PriceRow:
    first = {unit: steps[0][1] for unit, steps in rate.units.items()}
    fresh = first["input"]
    price = Price(rate.id, rate.currency, fresh, first.get("cached", fresh), first["output"])
    return rows.PriceRow(rate.subject, price, rate.from_ms, rate.created_ms)


def _same(one: Rate, other: Rate) -> bool:
    return (one.side, one.party, one.subject) == (other.side, other.party, other.subject)
