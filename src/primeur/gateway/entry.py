"""Who is at the door: a key in one of three headers, or a console session."""

import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from primeur.core.caller import Caller
from primeur.core.errors import NotAuthenticated, NotPermitted
from primeur.governance.key_scopes import route_of
from primeur.governance.rules import digest_key, is_spelled
from primeur.walks.follow_changes import catch_up
from primeur.walks.house import House

SESSION_COOKIE = "primeur_session"
_CONSOLE_HEADER = b"x-primeur-console"


async def let_in(house: House, headers: Mapping[bytes, bytes], *, now_ms: int) -> Caller:
    """Find the caller.

    Raises:
        NotAuthenticated: no key, or one that is unknown, expired or revoked.
    """
    key = key_in(headers)
    if key is None:
        return _session(house, headers, now_ms)
    digest = digest_key(key, house.place.pepper)
    caller = house.board.now.callers.get(digest)
    if caller is None and not is_spelled(key):
        raise NotAuthenticated(f"the key {_hint(key)} is mistyped or not one of ours; copy the whole of pk_... again")
    if caller is None and await catch_up(house):
        # The key may have been made a moment ago by another process.
        caller = house.board.now.callers.get(digest)
    if caller is None:
        raise NotAuthenticated(f"the key {_hint(key)} is not known; `primeur keys list` shows those that are")
    return _in_time(caller, now_ms)


def _in_time(caller: Caller, now_ms: int) -> Caller:
    if caller.expires_ms is not None and caller.expires_ms <= now_ms:
        raise NotAuthenticated(f"the key {caller.name!r} has expired; make another with `primeur keys create`")
    return caller


def key_in(headers: Mapping[bytes, bytes]) -> str | None:
    """The key that a request carries, in one of the headers that OpenAI's, Azure's and Anthropic's clients use."""
    authorization = headers.get(b"authorization", b"")
    if authorization[:7].lower() == b"bearer ":
        return authorization[7:].strip().decode("latin-1")
    found = headers.get(b"api-key") or headers.get(b"x-api-key")
    return found.strip().decode("latin-1") if found else None


def _session(house: House, headers: Mapping[bytes, bytes], now_ms: int) -> Caller:
    """A browser's session counts only for requests that our own pages made (a header no foreign form can send)."""
    token = session_token(headers)
    if token is None or _CONSOLE_HEADER not in headers or not same_origin(headers):
        raise NotAuthenticated(
            "no key was given; send `Authorization: Bearer pk_...` (make one: `primeur keys create`)"
        )
    caller = house.board.now.sessions.get(digest_key(token, house.place.pepper))
    if caller is None:
        raise NotAuthenticated("your session has ended; sign in again")
    if caller.idle_ms is not None:
        seen_ms = max(caller.seen_ms or 0, house.board.seen.get(caller.session_id or "", 0))
        if seen_ms + caller.idle_ms <= now_ms:
            raise NotAuthenticated("your session has rested for too long; sign in again")
    return _in_time(caller, now_ms)


def check_scope(caller: Caller, path: str, address: str) -> None:
    """Let a caller use a route from an address.

    Raises:
        NotPermitted: the key is bounded to other routes or networks.
    """
    word = route_of(path)
    if caller.fits(word, address):
        return
    if caller.routes is not None and word not in caller.routes:
        raise NotPermitted(f"the key {caller.name!r} may not use the route {word!r}")
    raise NotPermitted(f"the key {caller.name!r} may not be used from {address or 'an unknown address'}")


def note_caller(house: House, caller: Caller, now_ms: int) -> None:
    """Remember that a key or a session was used; `primeur.walks.note_use` writes it down."""
    if caller.member_id is None:
        house.board.used[caller.key_id] = now_ms
    elif caller.session_id is not None:
        house.board.seen[caller.session_id] = house.board.seen_now[caller.session_id] = now_ms


def session_token(headers: Mapping[bytes, bytes]) -> str | None:
    """The session cookie's text."""
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return None
    return cookies[SESSION_COOKIE].value if SESSION_COOKIE in cookies else None


def same_origin(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser says that the request comes from our own pages; requests without an origin are not forged."""
    origin = headers.get(b"origin")
    if origin is None:
        return headers.get(b"sec-fetch-site", b"same-origin") in {b"same-origin", b"none"}
    return hmac.compare_digest(origin.split(b"//")[-1], headers.get(b"host", b""))


def _hint(key: str) -> str:
    return repr(f"{key[:6]}...{key[-2:]}") if len(key) > 12 else "you sent"
