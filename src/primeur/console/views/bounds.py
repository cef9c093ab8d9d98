"""Budgets and limits, set by hand: of a key, a project, an organisation or a deployment."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page
from primeur.console.views.keys import read_budgets

NUMBERS = ("rpm", "tpm", "concurrency", "rpd", "tpd")


async def show_bounds(page: Page) -> Response:
    """Show budgets and limits, with the forms for both."""
    return await _draw(page)


async def set_budget(page: Page) -> Response:
    """Set what may be spent in a period."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    body = {"limit": _text(posted, "limit"), "currency": _text(posted, "currency").upper() or "EUR"}
    if _text(posted, "soft"):
        body["soft"] = _text(posted, "soft")
    try:
        await page.api.put(_budget_path(posted), body)
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message, status=400, typed=dict(posted))
    return page.go("/bounds")


async def remove_budget(page: Page) -> Response:
    """Take a budget away."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    try:
        await page.api.delete(_budget_path(posted))
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message, status=400)
    return page.go("/bounds")


async def set_limits(page: Page) -> Response:
    """Change limits; an empty field stays as it is, and 0 takes a limit away."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    try:
        await page.api.patch(_limits_path(posted), read_limits(posted))
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message, status=400, typed=dict(posted))
    return page.go("/bounds")


def read_limits(posted: Mapping[str, Any]) -> Json:
    """Turn the form into the API's body.

    Raises:
        ApiRefusal: a limit that is not a whole number.
    """
    body: Json = {}
    for name in NUMBERS:
        text = _text(posted, name)
        if text and not (text.isascii() and text.isdigit()):
            raise ApiRefusal(400, f"{name} must be a whole number, not {text!r}", param=name)
        if text:
            body[name] = int(text) or None
    return body


def _limits_path(posted: Mapping[str, Any]) -> str:
    scope, name = _text(posted, "scope"), quote(_text(posted, "name"), safe="")
    if scope in {"key", "project"}:
        return f"/api/v1/{scope}s/{name}"
    return f"/api/v1/limits/{quote(scope, safe='')}/{name}"


def _budget_path(posted: Mapping[str, Any]) -> str:
    parts = (quote(_text(posted, name), safe="") for name in ("scope", "name", "period"))
    return "/api/v1/budgets/" + "/".join(parts)


def _text(posted: Mapping[str, Any], name: str) -> str:
    return str(posted.get(name, "")).strip()


async def _draw(page: Page, *, refused: str = "", status: int = 200, typed: Json | None = None) -> Response:
    return page.draw(
        "bounds.html",
        status,
        budgets=await read_budgets(page),
        limits=(await page.api.get("/api/v1/limits"))["data"],
        numbers=NUMBERS,
        refused=refused,
        typed=typed or {},
    )
