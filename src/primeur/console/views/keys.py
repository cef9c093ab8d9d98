"""The keys page: made with limits and scopes, shown once, rotated, revoked."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page
from primeur.core.money import nanos_of
from primeur.governance.key_scopes import ROUTES

_DAY_MS = 86_400_000
LIFETIMES_DAYS = (30, 90, 365)
OVERLAPS_HOURS = (0, 1, 24, 168)
ROLES = ("member", "operator", "auditor", "billing", "admin")
_NUMBERS = ("rpm", "tpm", "concurrency", "rpd", "tpd")


async def show_keys(page: Page) -> Response:
    """List keys, with the form for a new one."""
    return await _draw(page)


async def create_key(page: Page) -> Response:
    """Make a key and show its text this once."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    try:
        made = await page.api.post("/api/v1/keys", read_new_key(posted, page.desk.house.clock.now_ms()))
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message, status=400, typed=dict(posted))
    return await _draw(page, made=made)


async def rotate_key(page: Page) -> Response:
    """Give a key a new text and show it this once; the old one may hold on for a while."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    hours = str(posted.get("hours", ""))
    overlap_s = int(hours) * 3600 if hours.isdigit() and int(hours) in OVERLAPS_HOURS else 0
    path = f"/api/v1/keys/{page.request.path_params['key_id']}/rotate"
    try:
        made = await page.api.post(path, {"overlap_s": overlap_s})
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message, status=400)
    return await _draw(page, made=made)


async def revoke_key(page: Page) -> Response:
    """Take a key back."""
    if await page.form() is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    await page.api.delete(f"/api/v1/keys/{page.request.path_params['key_id']}")
    return page.go("/keys")


def read_new_key(posted: Mapping[str, Any], now_ms: int) -> Json:
    """Turn the form into the API's body; empty fields are no limit.

    Raises:
        ApiRefusal: a limit that is not a whole number.
    """
    body: Json = {"name": str(posted.get("name", "")).strip(), "role": str(posted.get("role", "member"))}
    for name in _NUMBERS:
        text = str(posted.get(name, "")).strip()
        if text:
            if not text.isascii() or not text.isdigit():
                raise ApiRefusal(400, f"{name} must be a whole number, not {text!r}", param=name)
            body[name] = int(text)
    for field, name in (("deployment", "deployments"), ("route", "routes")):
        chosen = posted.getlist(field) if hasattr(posted, "getlist") else []
        if chosen:
            body[name] = [str(one) for one in chosen]
    networks = str(posted.get("networks", "")).replace(",", " ").split()
    if networks:
        body["networks"] = networks
    days = str(posted.get("days", ""))
    if days.isdigit() and int(days) in LIFETIMES_DAYS:
        body["expires_ms"] = now_ms + int(days) * _DAY_MS
    return body


def state_of(key: Json, now_ms: int) -> str:
    """Tell whether a key can be used."""
    if key["revoked_ms"] is not None:
        return "revoked"
    if key["expires_ms"] is not None and key["expires_ms"] <= now_ms:
        return "expired"
    return "active"


async def read_budgets(page: Page) -> list[Json]:
    """What may be spent and what is spent, as far as this person may see it; in nanos."""
    if "budgets:read" not in page.me.get("permissions", ()):
        return []
    found = (await page.api.get("/api/v1/budgets"))["data"]
    amounts = ("limit", "spent")
    return [one | {name: nanos_of(one[name], name) for name in amounts} for one in found]


async def _draw(
    page: Page, *, made: Json | None = None, refused: str = "", status: int = 200, typed: Json | None = None
) -> Response:
    now_ms = page.desk.house.clock.now_ms()
    keys = [one | {"state": state_of(one, now_ms)} for one in (await page.api.get("/api/v1/keys"))["data"]]
    deployments = [one["name"] for one in (await page.api.get("/api/v1/deployments"))["data"]]
    return page.draw(
        "keys.html",
        status,
        budgets=await read_budgets(page),
        keys=sorted(keys, key=lambda key: (key["state"] != "active", key["name"])),
        deployments=deployments,
        roles=ROLES,
        lifetimes=LIFETIMES_DAYS,
        overlaps=OVERLAPS_HOURS,
        routes=tuple(ROUTES),
        made=made,
        refused=refused,
        typed=typed or {},
    )
