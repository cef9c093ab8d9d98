"""Coming in by a one-time link or a password, going out, and the choices that need no session: language and theme."""

from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from primeur.console.api import ApiRefusal
from primeur.console.desk import THEMES, Page, refuse
from primeur.console.session import comes_from_us, drop_session, keep_preference, keep_session
from primeur.console.words import LANGUAGES
from primeur.core.errors import CallerError, OverLimit
from primeur.store.origin import ORIGIN
from primeur.walks.follow_changes import catch_up
from primeur.walks.sign_in import Opened, Visitor, sign_in, sign_out
from primeur.walks.sign_in_openid import choose_provider
from primeur.walks.sign_in_password import sign_in_by_password

_LINK_CHARACTERS_MOST = 200


async def ask(page: Page) -> Response:
    """Tell how to get a link, and take one."""
    return await draw_sign_in(page)


async def draw_sign_in(page: Page, status: int = 200, refused: str = "") -> Response:
    """Show every way to come in; ``organisation`` in the address names whose provider is shown."""
    query = page.request.query_params
    choice = await choose_provider(page.desk.house, query.get("organisation", "")[:64])
    ended = status == 200 and "ended" in query
    return page.draw("sign_in.html", status, ended=ended, refused=refused, choice=choice, out="out" in query)


async def show_link(page: Page) -> Response:
    """Show a button; opening the address alone, as link previews do, uses nothing up."""
    return page.draw("sign_in_link.html", token=page.request.path_params["token"])


async def open_link(page: Page) -> Response:
    """Use the link up and open a session."""
    return await _by_link(page, page.request.path_params["token"])


async def open_typed_link(page: Page) -> Response:
    """Take a link, or the part after its last slash, from a form."""
    posted = await page.request.form(max_files=0, max_fields=4)
    typed = str(posted.get("link", "")).strip()[:_LINK_CHARACTERS_MOST]
    return await _by_link(page, urlsplit(typed).path.rstrip("/").rpartition("/")[2])


async def leave(page: Page) -> Response:
    """End the session here and in the database."""
    if await page.form() is None:
        return refuse(page, ApiRefusal(403, page.say("problem.form")))
    ended = await sign_out(page.desk.house, page.session)
    # The session is over when the page says so, not when the snapshot is next looked at.
    await catch_up(page.desk.house)
    # Whoever came by a provider is offered to leave there too.
    gone = page.go(f"/sign-in?out=1&organisation={ended}" if ended else "/sign-in")
    drop_session(gone, page.request)
    return gone


async def keep(page: Page) -> Response:
    """Remember language or theme and go back to where the person was."""
    back = urlsplit(page.request.headers.get("referer", "")).path
    answer = page.go(back if back.startswith("/") and not back.startswith("//") else "/")
    if comes_from_us(page.request):
        posted = await page.request.form(max_files=0, max_fields=4)
        for name, choices in (("language", tuple(LANGUAGES)), ("theme", THEMES)):
            if posted.get(name) in choices:
                keep_preference(answer, page.request, name, str(posted[name]))
    return answer


async def open_by_password(page: Page) -> Response:
    """Open a session for whoever knows name and password."""
    posted = await page.request.form(max_files=0, max_fields=4)
    name, password = (str(posted.get(field, "")) for field in ("name", "password"))
    signing_in = sign_in_by_password(page.desk.house, name, password, visitor_of(page))
    return await _open(page, signing_in, page.say("sign_in.wrong"))


async def _open(page: Page, signing_in: Coroutine[Any, Any, Opened], refused: str) -> Response:
    if not comes_from_us(page.request):
        signing_in.close()
        return await draw_sign_in(page, 403, page.say("problem.form"))
    try:
        opened = await signing_in
    except OverLimit as banned:
        wait_s = -(-banned.retry_after_ms // 1000)
        return await draw_sign_in(page, 429, page.say("sign_in.banned", seconds=wait_s))
    except CallerError:
        return await draw_sign_in(page, 401, refused)
    # The next page is asked for at once, and must find the session.
    await catch_up(page.desk.house)
    answer = page.go("/chat")
    keep_session(answer, page.request, opened.text, opened.age_s)
    return answer


def visitor_of(page: Page) -> Visitor:
    """Give whose browser it is."""
    return Visitor(ORIGIN.get().address, page.request.headers.get("user-agent", ""))


async def _by_link(page: Page, token: str) -> Response:
    return await _open(page, sign_in(page.desk.house, token, visitor_of(page)), page.say("sign_in.used_up"))
