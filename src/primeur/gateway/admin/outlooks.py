"""What a month and a year will come to, and what a month would have come to."""

import msgspec

from primeur.billing.rules.forecast import Forecast
from primeur.core.money import amount_of
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.ask_what_if import Supposed, WhatIf, ask_what_if
from primeur.walks.forecast_costs import forecast_costs


class ForecastQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Only this project; all that the caller sees when not given."""

    project: str = ""


class ForecastView(msgspec.Struct, frozen=True, kw_only=True):
    """What a period will come to.

    Attributes:
        low, high: 80 % of periods like this end between them; null while too little is known.
        learned_from: days that this is from.
    """

    so_far: str
    expected: str
    low: str | None
    high: str | None
    learned_from: int


class OutlookView(msgspec.Struct, frozen=True, kw_only=True):
    """Costs of one currency by the end of the month and of the year; amounts are decimals in text."""

    currency: str
    month: ForecastView
    year: ForecastView


class SupposedView(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's month before credits: as it was, as it would have been, and the partner's share of that."""

    customer: str
    currency: str
    was: str
    would_be: str
    difference: str
    share: str
    after_share: str


def _forecast(found: Forecast) -> ForecastView:
    return ForecastView(
        so_far=amount_of(found.so_far),
        expected=amount_of(found.expected),
        low=None if found.low is None else amount_of(found.low),
        high=None if found.high is None else amount_of(found.high),
        learned_from=found.learned_from,
    )


def _supposed(one: Supposed) -> SupposedView:
    return SupposedView(
        customer=one.customer.name,
        currency=one.customer.currency,
        was=amount_of(one.was_nanos),
        would_be=amount_of(one.would_be_nanos),
        difference=amount_of(one.would_be_nanos - one.was_nanos),
        share=amount_of(one.share_nanos),
        after_share=amount_of(one.after_share_nanos),
    )


async def get_forecast(visit: Visit) -> Answer:
    """``GET /api/v1/usage/forecast``."""
    found = await forecast_costs(visit.house, visit.caller, asked(visit, ForecastQuery).project)
    views = [OutlookView(currency=o.currency, month=_forecast(o.month), year=_forecast(o.year)) for o in found]
    return json_answer(Page(views))


async def get_what_if(visit: Visit) -> Answer:
    """``GET /api/v1/ledger/what-if``."""
    found = await ask_what_if(visit.house, visit.caller, asked(visit, WhatIf))
    return json_answer(Page([_supposed(one) for one in found]))


DOORS = (
    Door("GET", "/api/v1/usage/forecast", get_forecast, "Forecast the month's and the year's costs", "usage:read",
         face="admin", takes=ForecastQuery, gives=Page[OutlookView]),
    Door("GET", "/api/v1/ledger/what-if", get_what_if, "Suppose other prices, plans and shares", "billing:read",
         face="admin", takes=WhatIf, gives=Page[SupposedView]),
)  # fmt: skip
