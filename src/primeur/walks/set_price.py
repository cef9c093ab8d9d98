"""Set what a deployment's tokens cost from now on."""

from typing import Annotated

import msgspec

from primeur.billing.rules.periods import day_named
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import PriceSet
from primeur.core.ids import make_id
from primeur.core.money import nanos_per_token
from primeur.core.price import Price
from primeur.metering import rate_rows, rows
from primeur.metering.rates import Rate
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.keep_final import check_open

Decimal = Annotated[str, msgspec.Meta(max_length=30)]


class Begins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When something begins to hold; now when neither is given.

    Attributes:
        from_ms: UTC milliseconds.
        from_day: a UTC day such as ``2026-12-01``.
    """

    from_ms: Annotated[int, msgspec.Meta(ge=0, le=1 << 47)] | None = None
    from_day: Annotated[str, msgspec.Meta(max_length=10)] | None = None


def begins(ask: Begins, now_ms: int) -> int:
    """Give the moment from which it holds, UTC milliseconds.

    Raises:
        BadRequest: both are given, or no day is.
    """
    if ask.from_day is not None:
        if ask.from_ms is not None:
            raise BadRequest("give from_day or from_ms, not both", param="from_day")
        return day_named(ask.from_day, "from_day")
    return now_ms if ask.from_ms is None else ask.from_ms


class NewPrice(Begins, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of a million tokens, written as decimals in text so that they stay exact.

    Attributes:
        cached: for input that the target had already read; as *input* when not given.
    """

    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    input: Decimal
    output: Decimal
    cached: Decimal | None = None


async def set_price(house: House, caller: Caller, deployment: str, ask: NewPrice) -> rows.PriceRow:
    """Set a deployment's price; raises as `write_price`."""
    return await house.store.transact(lambda tx: write_price(tx, house, caller, deployment, ask))


def write_price(tx: Tx, house: House, caller: Caller, deployment: str, ask: NewPrice) -> rows.PriceRow:
    """Set a price in a transaction that is open; what was charged before keeps the price it was charged at.

    Raises:
        BadRequest: not a number, negative, or finer than one nano a token.
        Conflict: it would begin before an invoice that is final ends.
        NotFound: the deployment is not there.
    """
    now_ms = house.clock.now_ms()
    price = Price(
        id=make_id("price", now_ms, house.entropy),
        currency=ask.currency,
        input_nanos=nanos_per_token(ask.input, "input"),
        cached_nanos=nanos_per_token(ask.input if ask.cached is None else ask.cached, "cached"),
        output_nanos=nanos_per_token(ask.output, "output"),
    )
    row = rows.PriceRow(real_deployment(tx, deployment).name, price, begins(ask, now_ms), now_ms)
    check_open(tx, "", row.from_ms)
    newest = next(iter(rows.list_prices(tx, row.deployment)), None)
    rows.add_price(tx, row)
    listed = [one for one in rate_rows.list_rates(tx) if (one.side, one.party) == ("sell", "")]
    if any(one.subject in {"", row.deployment} for one in listed):
        # A list price by units was set before, for this deployment or all; from now on this one holds.
        rate_rows.add_rate(tx, rate_of(row))
    before = None if newest is None else newest.price
    tell(tx, PriceSet(row.deployment, price.id), actor=actor_of(caller), at_ms=now_ms, before=before, after=price)
    return row


def rate_of(row: rows.PriceRow) -> Rate:
    """Give a list price of tokens as one by units."""
    price = row.price
    units = {"input": price.input_nanos, "cached": price.cached_nanos, "output": price.output_nanos}
    steps = {unit: ((0, nanos),) for unit, nanos in units.items()}
    return Rate(price.id, "sell", "", row.deployment, price.currency, steps, row.from_ms, row.created_ms)
