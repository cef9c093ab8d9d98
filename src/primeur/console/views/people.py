"""The page of people: members, service accounts and groups; and one person's page."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page

_Work = Callable[[FormData], Awaitable[object]]


async def show_people(page: Page) -> Response:
    """List members, service accounts and groups, with the form for a new one."""
    return await _draw_people(page)


async def invite(page: Page) -> Response:
    """Make a member and show their one-time link this once, or make a service account."""
    made: list[Json] = []

    async def work(posted: FormData) -> None:
        names = ("name", "user_name", "role", "project", "kind")
        body = {name: text for name in names if (text := str(posted.get(name, "")).strip())}
        made.append(await page.api.post("/api/v1/members", body))

    refused = await _attempt(page, work)
    return await _draw_people(page, made=made[0] if made else None, refused=refused)


async def show_person(page: Page) -> Response:
    """Show one member with projects, sessions and passkeys."""
    return await _draw_person(page)


async def change(page: Page) -> Response:
    """Change name, user name and role."""

    async def work(posted: FormData) -> None:
        said = {name: str(posted.get(name, "")).strip() for name in ("name", "role")}
        user_name = str(posted.get("user_name", "")).strip() or None
        known = await page.api.get(_path(page))
        await page.api.patch(_path(page), said if known["kind"] == "service" else said | {"user_name": user_name})

    return await _done(page, work)


async def set_state(page: Page) -> Response:
    """Disable somebody, which ends their sessions, or enable them again."""
    return await _done(page, lambda posted: page.api.patch(_path(page), {"state": str(posted.get("state", ""))}))


async def make_link(page: Page) -> Response:
    """Make a one-time link and show it this once."""
    made: list[Json] = []

    async def work(_: FormData) -> None:
        made.append(await page.api.post("/api/v1/sign-in-links", {"member": _member(page)}))

    refused = await _attempt(page, work)
    return await _draw_person(page, link=_whole(page, made[0]["path"]) if made else "", refused=refused)


async def join(page: Page) -> Response:
    """Let somebody be in one more project."""

    async def work(posted: FormData) -> None:
        project = quote(str(posted.get("project", "")), safe="")
        await page.api.put(f"{_path(page)}/projects/{project}", {"role": str(posted.get("role", ""))})

    return await _done(page, work)


async def leave(page: Page) -> Response:
    """Take somebody out of a project."""
    place = quote(page.request.path_params["project_id"], safe="")
    return await _done(page, lambda _: page.api.delete(f"{_path(page)}/projects/{place}"))


async def end_session(page: Page) -> Response:
    """End a session of somebody's."""
    session = quote(page.request.path_params["session_id"], safe="")
    return await _done(page, lambda _: page.api.delete(f"/api/v1/sessions/{session}"))


async def remove_passkey(page: Page) -> Response:
    """Remove a passkey of somebody's."""
    passkey = quote(page.request.path_params["passkey_id"], safe="")
    return await _done(page, lambda _: page.api.delete(f"{_path(page)}/passkeys/{passkey}"))


async def remove(page: Page) -> Response:
    """Remove somebody for good."""
    refused = await _attempt(page, lambda _: page.api.delete(_path(page)))
    return await _draw_person(page, refused=refused) if refused else page.go("/people")


async def _done(page: Page, work: _Work) -> Response:
    refused = await _attempt(page, work)
    return await _draw_person(page, refused=refused) if refused else page.go(f"/people/{_member(page)}")


async def _attempt(page: Page, work: _Work) -> str:
    """Do what a form asks for; gives why it was refused, or an empty text."""
    posted = await page.form()
    if posted is None:
        return page.say("problem.form")
    try:
        await work(posted)
    except ApiRefusal as refusal:
        return refusal.message
    return ""


async def _draw_people(page: Page, *, made: Json | None = None, refused: str = "") -> Response:
    found = (await page.api.get("/api/v1/members"))["data"]
    names = {one["id"]: one["name"] for one in found}
    return page.draw(
        "people.html",
        400 if refused else 200,
        kinds=[(kind, [one for one in found if one["kind"] == kind]) for kind in ("person", "service")],
        groups=(await page.api.get("/api/v1/groups"))["data"],
        names=names,
        link=_whole(page, made["path"]) if made and made["path"] else "",
        made=made,
        refused=refused,
        **await _choices(page),
    )


async def _draw_person(page: Page, *, link: str = "", refused: str = "") -> Response:
    person = await page.api.get(_path(page))
    people = person["kind"] == "person"
    may = set(page.me["permissions"])
    seen = people and "sessions:read" in may
    return page.draw(
        "person.html",
        400 if refused else 200,
        person=person,
        sessions=(await page.api.get("/api/v1/sessions", {"member": person["id"]}))["data"] if seen else [],
        passkeys=(await page.api.get(f"{_path(page)}/passkeys"))["data"] if people else [],
        link=link,
        refused=refused,
        **await _choices(page),
    )


async def _choices(page: Page) -> Json:
    projects = (await page.api.get("/api/v1/projects"))["data"]
    return {"roles": [one["name"] for one in (await page.api.get("/api/v1/roles"))["data"]], "projects": projects}


def _member(page: Page) -> str:
    return quote(page.request.path_params["member_id"], safe="")


def _path(page: Page) -> str:
    return f"/api/v1/members/{_member(page)}"


def _whole(page: Page, path: str) -> str:
    return str(page.request.base_url).rstrip("/") + path
