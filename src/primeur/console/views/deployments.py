"""The deployments page: the names that clients call, how each is doing, and why."""

from math import log

from starlette.responses import Response

from primeur.console.api import Json
from primeur.console.desk import Page
from primeur.registry.roll_outs import UNDER_WAY


async def show_deployments(page: Page) -> Response:
    """List deployments; asked for again every few seconds while one is not ready."""
    deployments = [_shown(one) for one in (await page.api.get("/api/v1/deployments"))["data"]]
    for one in deployments:
        one["roll_out"] = await _roll_out(page, one)
    template = "deployments_list.html" if page.is_fragment else "deployments.html"
    restless = any(
        one["state"] not in {"ready", "ended"}
        or one["phase"] in {"starting", "loading"}
        or (one["roll_out"] and one["roll_out"]["state"] in UNDER_WAY)
        for one in deployments
    )
    return page.draw(template, deployments=deployments, period_s=2 if restless else 10)


async def move_roll_out(page: Page) -> Response:
    """Take one step of a roll-out, as the button says."""
    posted = await page.form()
    if posted is None:
        return page.draw(
            "refused.html", 403, title=page.say("problem.title"), message=page.say("problem.form"), code=""
        )
    address = f"/api/v1/deployments/{page.request.path_params['deployment_id']}/roll-out"
    await page.api.post(address, {"move": str(posted.get("move", ""))})
    return page.go("/deployments")


async def _roll_out(page: Page, deployment: Json) -> Json | None:
    """The newest roll-out, with its evidence on a scale from nothing to what takes it back."""
    if len(deployment["revisions"]) < 2:
        return None
    found = (await page.api.get(f"/api/v1/deployments/{deployment['id']}/roll-outs"))["data"]
    if not found:
        return None
    findings = (found[0]["verdict"] or {}).get("findings", [])
    shown: Json = found[0] | {"findings": [one | {"weight": _weight(one)} for one in findings]}
    return shown


def _weight(finding: Json) -> float:
    """From 0 (nothing) to 1 (it goes back), by the logarithm of the evidence."""
    return min(1.0, max(0.0, log(max(1.0, finding["e_value"])) / log(finding["limit"])))


def _shown(deployment: Json) -> Json:
    live = [one for one in deployment["revisions"] if one["share"] > 0]
    whole = sum(one["share"] for one in live) or 1
    revisions = [one | {"percent": round(100 * one["share"] / whole)} for one in deployment["revisions"]]
    phases = [one["phase"] for one in live if one["phase"]]
    state = deployment["state"]
    return deployment | {
        "revisions": revisions,
        "phase": state if state != "pending" else (phases[0] if phases else "pending"),
        "memory_bytes": sum(one["memory_bytes"] or 0 for one in live) or None,
    }
