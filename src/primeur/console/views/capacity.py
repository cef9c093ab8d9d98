"""The capacity page: rights and their history, open offers, commitments, who serves what share and why, refusals."""

from typing import Any

from starlette.responses import Response

from primeur.console.api import Json
from primeur.console.desk import Page

_REASONS = ("NO_HEADROOM", "THROTTLED", "SLO_BREACH", "OUTAGE", "UNSUPPORTED", "RIGHT_INACTIVE")
_ASKED = ("noticed", "open")
_HISTORY_MOST = 30


async def show_capacity(page: Page) -> Response:
    """Draw the page; its live part is asked for again every two seconds."""
    offers = (await page.api.get("/api/v1/capacity/offers"))["data"]
    serving = (await page.api.get("/api/v1/capacity/serving"))["data"]
    live: dict[str, Any] = {
        "offers": [_counted(one, page.desk.house.clock.now_ms()) for one in offers if one["state"] in _ASKED],
        "serving": [_with_share(one, serving) for one in serving],
    }
    if page.is_fragment:
        return page.draw("capacity_live.html", **live)
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
    commitments = (await page.api.get("/api/v1/capacity/commitments"))["data"]
    return page.draw(
        "capacity.html",
        rights=rights,
        refusals=refusals,
        commitments=commitments,
        asked=asked,
        reasons=_REASONS,
        **live,
    )


def _counted(offer: Json, now_ms: int) -> Json:
    """With what is left until its deadline, as a clock that runs down."""
    due_ms = offer["due_ms"]
    return offer | {"left": None if due_ms is None else clock(due_ms - now_ms)}


def clock(milliseconds: int) -> str:
    """Write a span as ``71:59:58``, hours first; what is over is ``0:00:00``."""
    minutes, seconds = divmod(max(0, milliseconds) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _with_share(one: Json, serving: list[Json]) -> Json:
    whole = sum(other["requests"] for other in serving if other["deployment"] == one["deployment"]) or 1
    return one | {"percent": round(100 * one["requests"] / whole)}
