"""Prices: what a deployment's tokens cost from a moment on."""

import msgspec

from primeur.core.money import price_per_million
from primeur.core.price import Price
from primeur.gateway.admin.page import Page, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.metering import rows
from primeur.walks.set_price import NewPrice, set_price


class PriceView(msgspec.Struct, frozen=True, kw_only=True):
    """A price, per million tokens as decimals in text.

    Attributes:
        from_ms: UTC milliseconds from which it holds; null where it is only told that it does.
    """

    id: str
    deployment: str
    currency: str
    input: str
    cached: str
    output: str
    from_ms: int | None = None


def show_price(deployment: str, price: Price, from_ms: int | None = None) -> PriceView:
    """Write a price for the API."""
    return PriceView(
        id=price.id,
        deployment=deployment,
        currency=price.currency,
        input=price_per_million(price.input_nanos),
        cached=price_per_million(price.cached_nanos),
        output=price_per_million(price.output_nanos),
        from_ms=from_ms,
    )


async def list_prices(visit: Visit) -> Answer:
    """``GET /api/v1/prices``: those in force and those before, newest first for each deployment."""
    found, allowed = await visit.house.store.read(rows.list_prices), visit.caller.deployments
    seen = [row for row in found if allowed is None or row.deployment in allowed]
    return json_answer(Page([show_price(row.deployment, row.price, row.from_ms) for row in seen]))


async def put_price(visit: Visit) -> Answer:
    """``PUT /api/v1/prices/{deployment}``: holds from now on."""
    row = await set_price(visit.house, visit.caller, visit.params["deployment"], visit.read(NewPrice))
    return await in_force(visit, show_price(row.deployment, row.price, row.from_ms))


DOORS = (
    Door("GET", "/api/v1/prices", list_prices, "List prices", "prices:read", face="admin", gives=Page[PriceView]),
    Door(
        "PUT", "/api/v1/prices/{deployment}", put_price, "Set a price from now on", "prices:write", tells="PriceSet",
        face="admin", takes=NewPrice, gives=PriceView,
    ),
)  # fmt: skip
