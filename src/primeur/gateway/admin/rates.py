"""Prices by units (of buying, negotiated, beyond tokens), partners' shares, and what has no price."""

from typing import Annotated, Literal

import msgspec

from primeur.core.money import amount_of, price_per_million
from primeur.gateway.admin.page import Page, asked, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.metering import rate_rows
from primeur.metering.rates import TOKEN_UNITS, Rate, Share
from primeur.store.database import Tx
from primeur.walks.list_unpriced import Unpriced, list_unpriced
from primeur.walks.name_payer import payer_names
from primeur.walks.set_rate import NewRate, set_rate
from primeur.walks.set_share import NewShare, set_share

_DAY_MS = 86_400_000


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """The price of what is beyond *above*, of a million tokens or of one of any other unit; *nanos*: of one unit."""

    above: int
    price: str
    nanos: int


class RateView(msgspec.Struct, frozen=True, kw_only=True):
    """A price by units.

    Attributes:
        side: ``buy``: what *provider* charges; ``sell``: what *customer* pays, or everybody where it is null.
        customer_id: the organisation or project that it is for.
        deployment: empty: every one.
        per: what steps count: one request, or all of a month.
    """

    id: str
    side: str
    provider: str | None
    customer: str | None
    customer_id: str | None
    deployment: str
    currency: str
    units: dict[str, list[StepView]]
    per: str
    prepaid: bool
    from_ms: int
    created_ms: int


class PartnerShareView(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's part of revenue, as a fraction; empty provider or deployment: all of them."""

    id: str
    partner: str
    part: str
    provider: str
    deployment: str
    from_ms: int
    created_ms: int


class RateQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which prices: of buying or of selling; both when not given."""

    side: Literal["", "buy", "sell"] = ""


class UnpricedQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far back to look for what was used."""

    days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 30


def show_rate(rate: Rate, names: dict[str, str]) -> RateView:
    """Write a price for the API."""
    units = {
        unit: [
            StepView(above=above, price=(price_per_million if unit in TOKEN_UNITS else amount_of)(nanos), nanos=nanos)
            for above, nanos in steps
        ]
        for unit, steps in rate.units.items()
    }
    buys, who = rate.side == "buy", rate.party or None
    return RateView(
        id=rate.id, side=rate.side, provider=rate.party if buys else None,
        customer=None if buys or who is None else names.get(who, who), customer_id=None if buys else who,
        deployment=rate.subject, currency=rate.currency, units=units, per=rate.per, prepaid=rate.prepaid,
        from_ms=rate.from_ms, created_ms=rate.created_ms,
    )  # fmt: skip


def show_share(share: Share) -> PartnerShareView:
    """Write a share for the API."""
    same = ("id", "partner", "provider", "deployment", "from_ms", "created_ms")
    return PartnerShareView(**{name: getattr(share, name) for name in same}, part=str(share.part))


async def list_rates(visit: Visit) -> Answer:
    """``GET /api/v1/rates``: newest first."""
    side = asked(visit, RateQuery).side

    def read(tx: Tx) -> Page[RateView]:
        names = payer_names(tx)
        return Page([show_rate(one, names) for one in rate_rows.list_rates(tx) if side in {"", one.side}])

    return json_answer(await visit.house.store.read(read))


async def post_rate(visit: Visit) -> Answer:
    """``POST /api/v1/rates``."""
    made = await set_rate(visit.house, visit.caller, visit.read(NewRate))
    names = await visit.house.store.read(payer_names)
    return await in_force(visit, show_rate(made, names), 201)


async def list_shares(visit: Visit) -> Answer:
    """``GET /api/v1/shares``: newest first."""
    return json_answer(Page([show_share(one) for one in await visit.house.store.read(rate_rows.list_shares)]))


async def post_share(visit: Visit) -> Answer:
    """``POST /api/v1/shares``."""
    return json_answer(show_share(await set_share(visit.house, visit.caller, visit.read(NewShare))), 201)


async def get_unpriced(visit: Visit) -> Answer:
    """``GET /api/v1/prices/unpriced``."""
    days, now_ms = asked(visit, UnpricedQuery).days, visit.arrived_ms
    span = {"from_ms": max(0, now_ms - days * _DAY_MS), "to_ms": now_ms + 1}
    return json_answer(Page(await list_unpriced(visit.house, visit.caller, **span)))


DOORS = (
    Door("GET", "/api/v1/prices/unpriced", get_unpriced, "List what has no price", "billing:read", face="admin",
         takes=UnpricedQuery, gives=Page[Unpriced]),
    Door("GET", "/api/v1/rates", list_rates, "List prices of buying and negotiated prices", "billing:read",
         face="admin", takes=RateQuery, gives=Page[RateView]),
    Door("POST", "/api/v1/rates", post_rate, "Set a price of buying, or a negotiated one", "prices:write",
         tells="RateSet", face="admin", takes=NewRate, gives=RateView, status=201),
    Door("GET", "/api/v1/shares", list_shares, "List partners' shares", "billing:read", face="admin",
         gives=Page[PartnerShareView]),
    Door("POST", "/api/v1/shares", post_share, "Give a partner a share of revenue", "prices:write", tells="ShareSet",
         face="admin", takes=NewShare, gives=PartnerShareView, status=201),
)  # fmt: skip
