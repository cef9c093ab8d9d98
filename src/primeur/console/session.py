"""Who is at the page: the session cookie, the token in forms, and where a form may come from."""

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "primeur_session"
_BEGUN, _BEGUN_PATH = "primeur_sign_in", "/sign-in/openid"
_PREFERENCE_AGE_S = 365 * 24 * 3600
_PREFERENCES = {"language": "primeur_language", "theme": "primeur_theme"}


def session_of(request: Request) -> str:
    """The session's text, or an empty one."""
    return request.cookies.get(COOKIE, "")


def keep_session(response: Response, request: Request, token: str, age_s: int) -> None:
    """Hand the browser its session, out of reach of scripts and of other sites."""
    response.set_cookie(
        COOKIE, token, max_age=age_s, httponly=True, samesite="strict", secure=_is_https(request), path="/"
    )


def drop_session(response: Response, request: Request) -> None:
    """Take the session back from the browser."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=_is_https(request))


def begun_of(request: Request) -> str:
    """What this browser keeps of a sign-in at a provider that it began, or an empty text."""
    return request.cookies.get(_BEGUN, "")


def keep_begun(response: Response, request: Request, text: str) -> None:
    """Let a browser be known again when a provider sends it back, which a stricter cookie would not."""
    secure = _is_https(request)
    response.set_cookie(_BEGUN, text, max_age=600, httponly=True, samesite="lax", secure=secure, path=_BEGUN_PATH)


def drop_begun(response: Response, request: Request) -> None:
    """Forget a sign-in that is over."""
    response.delete_cookie(_BEGUN, path=_BEGUN_PATH, httponly=True, samesite="lax", secure=_is_https(request))


def preference(request: Request, name: str) -> str | None:
    """What the person chose for *name* (``language`` or ``theme``), if anything."""
    return request.cookies.get(_PREFERENCES[name])


def keep_preference(response: Response, request: Request, name: str, value: str) -> None:
    """Remember a choice for a year; scripts may read it, it is no secret."""
    response.set_cookie(
        _PREFERENCES[name], value, max_age=_PREFERENCE_AGE_S, samesite="strict", secure=_is_https(request), path="/"
    )


def form_token(pepper: bytes, session: str) -> str:
    """The token that every form of a session carries, so that another site cannot post in its name."""
    return hmac.new(pepper, b"primeur console form\0" + session.encode(), hashlib.sha256).hexdigest()


def form_is_ours(pepper: bytes, session: str, token: object) -> bool:
    """Whether *token* was made by us for this session."""
    return isinstance(token, str) and hmac.compare_digest(form_token(pepper, session).encode(), token.encode())


def comes_from_us(request: Request) -> bool:
    """Whether a browser sent this from one of our own pages.

    Browsers name the sending page's origin on every POST; one that sends none is no browser, and has no cookie
    of somebody else to abuse.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
    return urlsplit(origin).netloc == request.headers.get("host", "")


def _is_https(request: Request) -> bool:
    # A proxy that ends TLS says so; who makes it up only gets a stricter cookie.
    return "https" in {request.url.scheme, request.headers.get("x-forwarded-proto", "")}
