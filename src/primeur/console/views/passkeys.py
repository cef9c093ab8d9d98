"""Coming in with a passkey, and one's own passkeys; the browser's part is in ``js/passkeys.js``."""

from typing import Any

import msgspec
from starlette.responses import JSONResponse, Response

from primeur.console.desk import Page
from primeur.console.session import comes_from_us, keep_session
from primeur.console.views.entrance import visitor_of
from primeur.core.errors import BadRequest, PrimeurError
from primeur.core.reading import read_json
from primeur.walks.follow_changes import catch_up
from primeur.walks.note_sign_in import note_refused
from primeur.walks.own_address import own_address
from primeur.walks.sign_in_passkey import begin_with_passkey, finish_with_passkey

_BODY_MOST = 64 * 1024


class _Finished(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    credential: dict[str, Any]


async def begin(page: Page) -> Response:
    """Give what the browser is asked."""
    if not comes_from_us(page.request):
        return _refuse(page.say("problem.form"), 403)
    try:
        address = own_address(page.desk.house, page.request.headers.get("host", ""))
    except PrimeurError as error:
        return _refuse(error.message, 409)
    return JSONResponse({"public_key": dict(await begin_with_passkey(page.desk.house, address, visitor_of(page)))})


async def finish(page: Page) -> Response:
    """Take the browser's answer, and open a session."""
    if not comes_from_us(page.request):
        return _refuse(page.say("problem.form"), 403)
    house = page.desk.house
    try:
        said = read_json(await _body(page), _Finished)
        opened = await finish_with_passkey(house, said.credential, visitor_of(page))
    except PrimeurError as error:
        await note_refused(house, "passkey", error)
        return _refuse(page.say("sign_in.passkey_refused"), 401)
    await catch_up(house)
    answer = JSONResponse({"onward": "/chat"})
    keep_session(answer, page.request, opened.text, opened.age_s)
    return answer


async def rename(page: Page) -> Response:
    """Call one of one's own passkeys something else."""
    posted = await page.form()
    if posted is None:
        return page.go("/profile")
    await page.api.patch(
        f"/api/v1/me/passkeys/{page.request.path_params['passkey_id']}", {"name": str(posted.get("name", ""))}
    )
    return page.go("/profile")


async def remove(page: Page) -> Response:
    """Remove one of one's own passkeys."""
    if await page.form() is not None:
        await page.api.delete(f"/api/v1/me/passkeys/{page.request.path_params['passkey_id']}")
    return page.go("/profile")


async def _body(page: Page) -> bytes:
    body = b""
    async for piece in page.request.stream():
        body += piece
        if len(body) > _BODY_MOST:
            raise BadRequest(f"a passkey's answer has at most {_BODY_MOST} bytes")
    return body


def _refuse(words: str, status: int) -> Response:
    return JSONResponse({"message": words}, status)
