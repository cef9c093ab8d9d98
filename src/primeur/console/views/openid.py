"""To an OpenID Connect provider and back; and out of it."""

from starlette.responses import RedirectResponse, Response

from primeur.console.desk import Page
from primeur.console.session import begun_of, drop_begun, keep_begun, keep_session
from primeur.console.views.entrance import draw_sign_in, visitor_of
from primeur.core.errors import PrimeurError
from primeur.walks.follow_changes import catch_up
from primeur.walks.note_sign_in import note_refused
from primeur.walks.own_address import own_address
from primeur.walks.sign_in_openid import ProviderAnswer, begin_openid, finish_openid, leave_provider

BACK = "/sign-in/openid"
_PART_MOST = 4096


async def begin(page: Page) -> Response:
    """Send the browser to the provider; it keeps a cookie by which it is known again."""
    try:
        address = own_address(page.desk.house, page.request.headers.get("host", ""))
        organisation = page.request.query_params.get("organisation", "")[:64]
        begun = await begin_openid(page.desk.house, organisation, address + BACK, visitor_of(page))
    except PrimeurError as error:
        await note_refused(page.desk.house, "openid", error)
        return await draw_sign_in(page, 502, page.say("sign_in.provider_failed"))
    gone = RedirectResponse(begun.url, 303)
    keep_begun(gone, page.request, begun.browser)
    return gone


async def finish(page: Page) -> Response:
    """Take the provider's answer, and open a session.

    The page that follows is asked for by ours, not by the provider's: only so does the browser send the session.
    """
    query, house = page.request.query_params, page.desk.house
    state, code, issuer, error = (query.get(name, "")[:_PART_MOST] for name in ("state", "code", "iss", "error"))
    try:
        answer = ProviderAnswer(state, code, issuer, error)
        opened = await finish_openid(house, answer, begun_of(page.request), visitor_of(page))
    except PrimeurError as refused:
        await note_refused(house, "openid", refused)
        drawn = await draw_sign_in(page, 401, page.say("sign_in.provider_refused"))
        drop_begun(drawn, page.request)
        return drawn
    await catch_up(house)
    drawn = page.draw("onward.html", onward="/chat")
    keep_session(drawn, page.request, opened.text, opened.age_s)
    drop_begun(drawn, page.request)
    return drawn


async def leave(page: Page) -> Response:
    """Sign out at the provider too, where it offers that."""
    try:
        back = own_address(page.desk.house, page.request.headers.get("host", "")) + "/sign-in"
        where = await leave_provider(page.desk.house, page.request.query_params.get("organisation", "")[:64], back)
    except PrimeurError:
        where = None
    return RedirectResponse(where or "/sign-in", 303)
