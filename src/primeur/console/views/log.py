"""The request log: searched, filtered, read page by page, one request in full."""

from starlette.responses import Response

from primeur.console.desk import Page
from primeur.console.paging import ROWS, asked_for, day_ms, paged

FILTERS = ("text", "deployment", "outcome", "key", "from", "to", "before")
OUTCOMES = ("completed", "cancelled", "failed", "refused")


async def show_log(page: Page) -> Response:
    """List requests, newest first."""
    asked = asked_for(page, FILTERS)
    query = {
        "text": asked["text"],
        "deployment": asked["deployment"],
        "outcome": asked["outcome"],
        "key": asked["key"],
        "before": asked["before"],
        "from_ms": day_ms(asked["from"]),
        "to_ms": day_ms(asked["to"], end=True),
        "limit": ROWS,
    }
    found = await page.api.get("/api/v1/requests", query)
    values = {"requests": found["data"], **paged("/log", asked, found)}
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
