"""The page of access: how people sign in, what groups are here, and the roles that an organisation has."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page

_TEXTS = ("issuer", "client_id", "client_secret", "label", "scopes", "name_claim", "groups_claim", "role")


async def show_access(page: Page) -> Response:
    """Show settings and roles."""
    return await _draw(page)


async def set_sign_in(page: Page) -> Response:
    """Set how people sign in."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"))
    try:
        before = await page.api.get("/api/v1/sign-in")
        await page.api.put("/api/v1/sign-in", read_sign_in(posted, before))
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message)
    return page.go("/access")


async def set_role(page: Page) -> Response:
    """Make or change a role of the organisation's own."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"))
    name = quote(str(posted.get("name", "")).strip(), safe="")
    try:
        await page.api.put(f"/api/v1/roles/{name}", {"permissions": [str(one) for one in posted.getlist("permission")]})
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message)
    return page.go("/access")


async def remove_role(page: Page) -> Response:
    """Give up a role."""
    if await page.form() is None:
        return await _draw(page, refused=page.say("problem.form"))
    try:
        await page.api.delete(f"/api/v1/roles/{quote(page.request.path_params['role'], safe='')}")
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message)
    return page.go("/access")


def read_sign_in(posted: Mapping[str, Any], before: Json) -> Json:
    """Turn the form into the API's body; without an issuer there is no provider, an empty secret stays as it is.

    Raises:
        ApiRefusal: a number that is none, or a line of groups that is not ``group = role``.
    """
    body: Json = {"passwords": "passwords" in posted, "groups": _groups(str(posted.get("groups", "")))}
    for name in ("idle_minutes", "most_minutes"):
        text = str(posted.get(name, "")).strip()
        if not (text.isascii() and text.isdigit() and len(text) < 9):
            raise ApiRefusal(400, f"{name} must be a whole number, not {text[:20]!r}", param=name)
        body[name] = int(text)
    said = {name: str(posted.get(name, "")).strip() for name in _TEXTS}
    if said["issuer"]:
        kept = (before.get("openid_connect") or {}).get("client_secret", "")
        said["client_secret"] = said["client_secret"] or kept
        given = {name: text for name, text in said.items() if text}
        body["openid_connect"] = given | {"trusts_addresses": "trusts_addresses" in posted}
    return body


def write_groups(lines: list[Json]) -> str:
    """Write what groups are, a line each, as `read_sign_in` reads it."""
    return "\n".join(
        f"{one['group']} = {one['role']}" + (f" @ {one['project']}" if one["project"] else "") for one in lines
    )


def _groups(text: str) -> list[Json]:
    found = []
    for line in filter(str.strip, text.splitlines()):
        # A group's name may have an equals sign in it, a role has none.
        group, sign, rest = line.rpartition("=")
        role, _, project = rest.partition("@")
        if not (sign and group.strip() and role.strip()):
            raise ApiRefusal(400, f"write a group as group = role, not {line[:80]!r}", param="groups")
        found.append({"group": group.strip(), "role": role.strip(), "project": project.strip()})
    return found


async def _draw(page: Page, *, refused: str = "") -> Response:
    may = set(page.me["permissions"])
    settings = await page.api.get("/api/v1/sign-in") if "sign-in:read" in may else None
    found = await page.api.get("/api/v1/roles")
    return page.draw(
        "access.html",
        400 if refused else 200,
        settings=settings,
        provider=(settings or {}).get("openid_connect") or {},
        group_lines=write_groups(settings["groups"]) if settings else "",
        roles=found["data"],
        permissions=[(name, found["permissions"][name]) for name in found["permissions"] if name in may],
        refused=refused,
    )
