"""The capacity page: rights and their history, open offers, commitments, who serves what share and why, refusals."""

from typing import Any

from starlette.responses import Response

from primeur.console.api import Json
from primeur.console.desk import Page

_REASONS = ("NO_HEADROOM", "THROTTLED", "SLO_BREACH", "OUTAGE", "UNSUPPORTED", "RIGHT_INACTIVE")
_ASKED = ("noticed", "open")
_HISTORY_MOST = 30
_SHOWN_MOST = 100
# Hours shown, and the length of a step.
SPANS_MS = {
    "1": (3_600_000, 60_000),
    "24": (86_400_000, 1_800_000),
    "168": (604_800_000, 21_600_000),
    "720": (2_592_000_000, 86_400_000),
}


async def show_capacity(page: Page) -> Response:
    """Draw the page; the offers are asked for again every two seconds."""
    found = (await page.api.get("/api/v1/capacity/offers"))["data"]
    offers = [_counted(one, page.desk.house.clock.now_ms()) for one in found if one["state"] in _ASKED]
    if page.is_fragment:
        return page.draw("capacity_live.html", offers=offers)
    rights = (await page.api.get("/api/v1/rights"))["data"]
    for right in rights:
        told = (await page.api.get(f"/api/v1/rights/{right['id']}/history"))["data"]
        right["within"] = clock(right["terms"]["response_ms"])
        for version in right["versions"]:
            version["within"] = clock(version["response_ms"])
        right["history"] = told[-_HISTORY_MOST:][::-1]
    asked = {name: page.request.query_params.get(name, "") for name in ("reason", "text")}
    asked["reason"] = asked["reason"] if asked["reason"] in _REASONS else ""
    refusals = (await page.api.get("/api/v1/refusals", asked))["data"] if "log:read" in page.me["permissions"] else []
    requests = (await page.api.get("/api/v1/capacity/requests"))["data"][:_SHOWN_MOST]
    commitments = (await page.api.get("/api/v1/capacity/commitments"))["data"]
    return page.draw(
        "capacity.html",
        rights=rights,
        refusals=refusals,
        requests=requests,
        commitments=commitments,
        asked=asked,
        reasons=_REASONS,
        offers=offers,
        deployments=[one["name"] for one in (await page.api.get("/api/v1/deployments"))["data"]],
        spans=tuple(SPANS_MS),
        **await _shares(page),
    )


async def show_shares(page: Page) -> Response:
    """Draw who serves what share and why, over time; the page asks for it again every five seconds."""
    return page.draw("capacity_shares.html", **await _shares(page))


async def _shares(page: Page) -> dict[str, Any]:
    query = page.request.query_params
    hours = query.get("hours", "1")
    hours = hours if hours in SPANS_MS else "1"
    span_ms, step_ms = SPANS_MS[hours]
    to_ms = page.desk.house.clock.now_ms() + 1
    chosen = query.get("deployment", "")[:200]
    span = {"from_ms": to_ms - span_ms, "to_ms": to_ms, "step_ms": step_ms, "deployment": chosen}
    series = await page.api.get("/api/v1/capacity/serving/series", span)
    wholes = {one["deployment"]: 0 for one in series["data"]}
    for one in series["data"]:
        wholes[one["deployment"]] += sum(one["requests"])
    for one in series["data"]:
        one["label"] = _label(page, one, alone=len(wholes) == 1)
        one["count"] = sum(one["requests"])
        one["percent"] = round(100 * one["count"] / (wholes[one["deployment"]] or 1))
    return {"series": series, "chosen": chosen, "hours": hours}


def _label(page: Page, one: Json, *, alone: bool) -> str:
    """Name who served and why, and of which deployment where there are several."""
    who = one["provider"] or page.say("capacity.nobody")
    parts = [] if alone else [one["deployment"]]
    return " · ".join([*parts, who, *([one["refusal"]] if one["refusal"] else [])])


def _counted(offer: Json, now_ms: int) -> Json:
    """With what is left until its deadline, as a clock that runs down."""
    due_ms = offer["due_ms"]
    return offer | {"left": None if due_ms is None else clock(due_ms - now_ms)}


def clock(milliseconds: int) -> str:
    """Write a span as ``71:59:58``, hours first; what is over is ``0:00:00``."""
    minutes, seconds = divmod(max(0, milliseconds) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
