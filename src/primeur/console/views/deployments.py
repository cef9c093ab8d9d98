"""The deployments page: the names that clients call, how each is doing, and why."""

from starlette.responses import Response

from primeur.console.api import Json
from primeur.console.desk import Page


async def show_deployments(page: Page) -> Response:
    """List deployments; asked for again every few seconds while one is not ready."""
    deployments = [_shown(one) for one in (await page.api.get("/api/v1/deployments"))["data"]]
    template = "deployments_list.html" if page.is_fragment else "deployments.html"
    restless = any(one["state"] != "ready" or one["phase"] in {"starting", "loading"} for one in deployments)
    return page.draw(template, deployments=deployments, period_s=2 if restless else 10)


def _shown(deployment: Json) -> Json:
    live = [one for one in deployment["revisions"] if one["share"] > 0]
    whole = sum(one["share"] for one in live) or 1
    revisions = [one | {"percent": round(100 * one["share"] / whole)} for one in deployment["revisions"]]
    phases = [one["phase"] for one in live if one["phase"]]
    ready = deployment["state"] == "ready"
    return deployment | {
        "revisions": revisions,
        "phase": "ready" if ready else (phases[0] if phases else "pending"),
        "memory_bytes": sum(one["memory_bytes"] or 0 for one in live) or None,
    }
