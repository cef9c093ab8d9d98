"""Set what a deployment's tokens cost from now on."""

from typing import Annotated

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Price
from primeur.core.events import PriceSet
from primeur.core.ids import make_id
from primeur.core.money import nanos_per_token
from primeur.metering import rows
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House

Decimal = Annotated[str, msgspec.Meta(max_length=30)]


class NewPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
        NotFound: the deployment is not there.
    """
    now_ms = house.clock.now_ms()
    price = Price(
        id=make_id("price", now_ms, house.entropy),
        currency=ask.currency,
        input_nanos=nanos_per_token(ask.input),
        cached_nanos=nanos_per_token(ask.input if ask.cached is None else ask.cached),
        output_nanos=nanos_per_token(ask.output),
    )
    row = rows.PriceRow(real_deployment(tx, deployment).name, price, now_ms, now_ms)
    newest = next(iter(rows.list_prices(tx, row.deployment)), None)
    rows.add_price(tx, row)
    before = None if newest is None else newest.price
    tell(tx, PriceSet(row.deployment, price.id), actor=actor_of(caller), at_ms=now_ms, before=before, after=price)
    return row
