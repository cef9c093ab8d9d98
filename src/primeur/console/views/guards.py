"""Guards: what is looked for in what passes through deployments, set by hand, and what was found lately."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page
from primeur.core.masking import RULES

ACTIONS, REACHES = ("mask", "block", "allow"), ("both", "prompt", "answer")
_SHOWN = 20


async def show_guards(page: Page) -> Response:
    """Show every deployment's rules, what was decided, and a form for one more rule."""
    return await _draw(page)


async def add_rule(page: Page) -> Response:
    """Add a rule to a deployment's guard; one of its name is replaced."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    typed: Json = {name: _text(posted, name) for name in posted if name != "finds"}
    typed["finds"] = [str(one) for one in posted.getlist("finds")]
    rule = read_rule(typed)
    path = _path(typed.get("deployment", ""))
    try:
        policy = await page.api.get(path)
        others = [one for one in policy["rules"] if one["name"] != rule["name"]]
        await page.api.put(path, policy | {"rules": [*others, rule]})
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message, status=400, typed=typed)
    return page.go("/guards")


async def remove_rule(page: Page) -> Response:
    """Take one rule away."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    path, name = _path(_text(posted, "deployment")), _text(posted, "name")
    try:
        policy = await page.api.get(path)
        await page.api.put(path, policy | {"rules": [one for one in policy["rules"] if one["name"] != name]})
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message, status=400)
    return page.go("/guards")


def read_rule(typed: Mapping[str, Any]) -> Json:
    """Turn the form into the API's rule; what is empty is left out, so that the API says what is missing."""
    rule: Json = {"name": typed.get("name", ""), "action": typed.get("action", ""), "on": typed.get("on", "")}
    words = [line.strip() for line in typed.get("words", "").splitlines() if line.strip()]
    for name, value in (("finds", typed["finds"]), ("words", words), ("pattern", typed.get("pattern", ""))):
        if value:
            rule[name] = value
    return rule


def _path(deployment: str) -> str:
    return f"/api/v1/deployments/{quote(deployment, safe='')}/guard"


def _text(posted: Mapping[str, Any], name: str) -> str:
    return str(posted.get(name, "")).strip()


async def _draw(page: Page, *, refused: str = "", status: int = 200, typed: Json | None = None) -> Response:
    deployments = [one["name"] for one in (await page.api.get("/api/v1/deployments"))["data"]]
    policies = {name: await page.api.get(_path(name)) for name in deployments}
    decided: list[Json] = []
    if "audit:read" in page.me["permissions"]:
        query = {"kind": "GuardDecided", "limit": _SHOWN}
        decided = (await page.api.get("/api/v1/audit/events", query))["data"]
    return page.draw(
        "guards.html",
        status,
        policies=policies,
        decided=decided,
        forms=tuple(RULES),
        actions=ACTIONS,
        reaches=REACHES,
        refused=refused,
        typed=typed or {"finds": []},
    )
