"""The money page: what requests earn and cost in plots and a table, what the month will come to, and what-if."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page
from primeur.core.money import NANOS

GROUPS = ("model", "customer", "provider", "deployment", "project", "day")
SPANS_DAYS = (7, 30, 90, 365)
_DAY_MS = 86_400_000
_ASKED = ("period", "prices", "plans", "share", "currency")
_LINES = {"revenue": "revenue_nanos", "cost": "cost_nanos", "margin": "known_margin_nanos"}


async def show_margins(page: Page) -> Response:
    """Draw earnings over time, a table by group, forecasts, and what has no price."""
    asked, now_ms = _asked(page), page.desk.house.clock.now_ms()
    span = {"from_ms": max(0, now_ms - int(asked["days"]) * _DAY_MS), "to_ms": now_ms + 1}
    table = await page.api.get("/api/v1/margins", {"by": asked["by"], **span})
    days = table if asked["by"] == "day" else await page.api.get("/api/v1/margins", {"by": "day", **span})
    forecasts = (await page.api.get("/api/v1/usage/forecast"))["data"]
    unpriced = (await page.api.get("/api/v1/prices/unpriced", {"days": int(asked["days"])}))["data"]
    template = "money_body.html" if page.is_fragment else "money.html"
    return page.draw(
        template,
        asked=asked,
        groups=GROUPS,
        spans=SPANS_DAYS,
        table=table,
        series=series_of(page, days),
        forecasts=[_forecast(one) for one in forecasts],
        unpriced=unpriced,
    )


async def suppose(page: Page) -> Response:
    """Ask what a month would have come to at other prices, plans and shares."""
    query = page.request.query_params
    asked = {name: query.get(name, "").strip() for name in _ASKED}
    found: list[Json] = []
    refused = ""
    if asked["period"]:
        try:
            answer = await page.api.get("/api/v1/ledger/what-if", asked | {"share": asked["share"] or "0"})
            found = [_supposed(one) for one in answer["data"]]
        except ApiRefusal as refusal:
            refused = refusal.message
    status = 400 if refused else 200
    return page.draw("money_what_if.html", status, asked=asked, found=found, refused=refused)


def series_of(page: Page, days: Mapping[str, Any]) -> Json:
    """Give the plots' data: what each day earned, cost and left by currency, and what a chat cost; gaps are null."""
    known = {int(line["name"]): line["money"] for line in days["data"]}
    first, last = min(known, default=0), max(known, default=-1)
    at_ms = list(range(first, last + 1, _DAY_MS))
    currencies = sorted({currency for money in known.values() for currency in money})
    return {
        "at_ms": at_ms,
        "step_ms": _DAY_MS,
        "money": {
            currency: [
                {"label": page.say(f"money.{name}"), "nanos": _column(known, at_ms, currency, field)}
                for name, field in _LINES.items()
            ]
            for currency in currencies
        },
        "chat": [
            {"label": currency, "currency": currency, "nanos": _column(known, at_ms, currency, "cost_per_chat_nanos")}
            for currency in currencies
        ],
    }


def _column(known: Mapping[int, Json], at_ms: list[int], currency: str, field: str) -> list[int | None]:
    return [known[day][currency][field] if currency in known.get(day, {}) else None for day in at_ms]


def _asked(page: Page) -> dict[str, str]:
    query = page.request.query_params
    by, days = query.get("by", GROUPS[0]), query.get("days", "30")
    return {
        "by": by if by in GROUPS else GROUPS[0],
        "days": days if days in {str(span) for span in SPANS_DAYS} else "30",
    }


def _forecast(one: Json) -> Json:
    spans = {name: {part: nanos_in(amount) for part, amount in one[name].items() if part != "learned_from"}
             for name in ("month", "year")}  # fmt: skip
    return {"currency": one["currency"], "learned_from": one["month"]["learned_from"], **spans}


def _supposed(one: Json) -> Json:
    amounts = ("was", "would_be", "difference", "share", "after_share")
    return one | {name: nanos_in(one[name]) for name in amounts}


def nanos_in(amount: str | None) -> int | None:
    """Give the nanos of an amount that the API wrote as decimals in text; None stays unknown."""
    return None if amount is None else int(Decimal(amount) * NANOS)
