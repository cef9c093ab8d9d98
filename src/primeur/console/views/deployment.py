"""One deployment's page: its traffic over time by revision, its replicas, and what was decided about them."""

from starlette.responses import Response

from primeur.console.api import Json
from primeur.console.desk import Page

PLOTS = ("requests", "failed", "speed", "waits", "cost")
# Hours shown, and the length of a step.
SPANS_MS = {"1": (3_600_000, 60_000), "6": (21_600_000, 300_000), "24": (86_400_000, 900_000)}
_DECISIONS = 50
_LINES = 100


async def show_deployment(page: Page) -> Response:
    """Draw plots and tables."""
    address = f"/api/v1/deployments/{page.request.path_params['deployment_id']}"
    hours = page.request.query_params.get("hours", "1")
    span_ms, step_ms = SPANS_MS.get(hours, SPANS_MS["1"])
    deployment = await page.api.get(address)
    to_ms = page.desk.house.clock.now_ms() + 1
    span = {"from_ms": to_ms - span_ms, "to_ms": to_ms, "step_ms": step_ms}
    may_see = "usage:read" in page.me.get("permissions", ())
    series = await page.api.get(f"{address}/traffic", span) if may_see else None
    metrics = (await page.api.get(f"{address}/metrics", span | {"step_ms": None}))["data"] if may_see else None
    decisions = (await page.api.get(f"{address}/scaling", {"limit": _DECISIONS}))["data"]
    live = [one for one in deployment["revisions"] if one["share"] > 0 and one["scaling"]]
    return page.draw(
        "deployment_body.html" if page.is_fragment else "deployment.html",
        deployment=deployment,
        logs=None if page.is_fragment else await _logs(page, deployment),
        series=series,
        revisions=_revisions(deployment["revisions"], metrics) if metrics is not None else [],
        plots=PLOTS,
        spans=tuple(SPANS_MS),
        hours=hours if hours in SPANS_MS else "1",
        decisions=decisions,
        scaling=live[0]["scaling"] if live else None,
        replicas=live[0]["replicas"] if live else None,
    )


async def show_logs(page: Page) -> Response:
    """Draw the last lines of its engines' logs, as a part of its page."""
    address = f"/api/v1/deployments/{page.request.path_params['deployment_id']}"
    return page.draw("deployment_logs.html", logs=await _logs(page, await page.api.get(address)))


async def _logs(page: Page, deployment: Json) -> list[Json] | None:
    """None for who may not read them, and where only providers answer."""
    here = any(one["engine"] for one in deployment["revisions"])
    if not here or "engine-logs:read" not in page.me.get("permissions", ()):
        return None
    found: list[Json] = (await page.api.get(f"/api/v1/deployments/{deployment['id']}/logs", {"lines": _LINES}))["data"]
    return found


def _revisions(revisions: list[Json], metrics: list[Json]) -> list[Json]:
    """Those that get traffic or got some in the span, with what they did."""
    whole = sum(one["share"] for one in revisions) or 1
    did = {one["revision_id"]: one for one in metrics}
    return [
        {"number": one["number"], "percent": round(100 * one["share"] / whole), "did": did.get(one["id"])}
        for one in revisions
        if one["share"] or one["id"] in did
    ]
