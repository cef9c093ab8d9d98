"""The request log: searched, filtered, read page by page, one request in full."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from primeur.console.desk import Page

FILTERS = ("text", "deployment", "outcome", "key", "from", "to", "before")
OUTCOMES = ("completed", "cancelled", "failed", "refused")
_ROWS = 50


async def show_log(page: Page) -> Response:
    """List requests, newest first."""
    asked = {name: page.request.query_params.get(name, "").strip()[:200] for name in FILTERS}
    query = {
        "text": asked["text"],
        "deployment": asked["deployment"],
        "outcome": asked["outcome"],
        "key": asked["key"],
        "before": asked["before"],
        "from_ms": day_ms(asked["from"]),
        "to_ms": day_ms(asked["to"], end=True),
        "limit": _ROWS,
    }
    found = await page.api.get("/api/v1/requests", query)
    kept = {name: value for name, value in asked.items() if value and name != "before"}
    older = f"/log?{urlencode(kept | {'before': found['next']})}" if found.get("next") else ""
    values = {"requests": found["data"], "older": older, "asked": asked, "is_later_page": bool(asked["before"])}
    if page.is_fragment:
        return page.draw("log_rows.html", **values)
    deployments = [one["name"] for one in (await page.api.get("/api/v1/deployments"))["data"]]
    keys = [one["name"] for one in (await page.api.get("/api/v1/keys"))["data"]]
    return page.draw("log.html", **values, deployments=deployments, keys=keys, outcomes=OUTCOMES)


async def show_request(page: Page) -> Response:
    """Show one request, in a panel of the log or as a page of its own."""
    found = await page.api.get(f"/api/v1/requests/{page.request.path_params['request_id']}")
    template = "log_request.html" if page.is_fragment else "log_request_page.html"
    return page.draw(template, request=found)


def day_ms(text: str, *, end: bool = False) -> int | None:
    """UTC milliseconds at which a day such as ``2026-11-22`` begins, or ends; None when it is no day."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int((day + timedelta(days=1 if end else 0)).timestamp() * 1000)
