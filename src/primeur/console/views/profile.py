"""One's own page: password, passkeys, sessions, and the projects one can go on in."""

from starlette.responses import Response

from primeur.console.api import ApiRefusal, Json
from primeur.console.desk import Page
from primeur.walks.follow_changes import catch_up


async def show_profile(page: Page) -> Response:
    """Show who one is here."""
    return await _draw(page)


async def change_password(page: Page) -> Response:
    """Set a new password."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    ask = {"old": str(posted.get("old", "")), "new": str(posted.get("new", ""))}
    try:
        await page.api.put("/api/v1/me/password", ask)
    except ApiRefusal as refusal:
        return await _draw(page, refused=refusal.message, status=400)
    return await _draw(page, done=page.say("profile.password_done"))


async def end_session(page: Page) -> Response:
    """End one of one's own sessions."""
    if await page.form() is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    await page.api.delete(f"/api/v1/sessions/{page.request.path_params['session_id']}")
    return page.go("/profile")


async def move(page: Page) -> Response:
    """Go on in another project."""
    posted = await page.form()
    if posted is None:
        return await _draw(page, refused=page.say("problem.form"), status=403)
    await page.api.post("/api/v1/me/project", {"project": str(posted.get("project", ""))})
    await catch_up(page.desk.house)
    return page.go("/profile")


async def _draw(page: Page, *, refused: str = "", done: str = "", status: int = 200) -> Response:
    sessions: list[Json] = (await page.api.get("/api/v1/sessions"))["data"]
    passkeys: list[Json] = (await page.api.get("/api/v1/me/passkeys"))["data"]
    return page.draw("profile.html", status, sessions=sessions, passkeys=passkeys, refused=refused, done=done)
