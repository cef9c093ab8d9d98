"""Ask an OpenID Connect provider, by the egress rule: its configuration and keys (kept for an hour), tokens, claims."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from primeur.core.errors import NotAuthenticated, SetupError
from primeur.governance.openid_rules import (
    KnownIssuer,
    Metadata,
    fitting_keys,
    read_keys,
    read_metadata,
    verified_claims,
)
from primeur.governance.sign_in_settings import OpenIdConnect
from primeur.walks.house import House

_KEPT_US, _FRESH_US = 3600 * 1_000_000, 60 * 1_000_000
_ISSUERS_MOST = 64
_BYTES_MOST, _TIMEOUT_S = 256 * 1024, 10.0
_FORM = (b"content-type", b"application/x-www-form-urlencoded")


async def reach_issuer(house: House, issuer: str, *, fresh: bool = False) -> KnownIssuer:
    """Give a provider's configuration and keys.

    Args:
        fresh: ask again, unless that was done within the last minute.

    Raises:
        SetupError: what is there is no provider.
        EgressRefused, TargetFailed, TargetTimedOut: it may not or cannot be reached.
    """
    known, now_us = house.board.issuers.get(issuer), house.clock.monotonic_us()
    if known is not None and now_us - known.asked_us < (_FRESH_US if fresh else _KEPT_US):
        return known
    about = read_metadata(await _get(house, f"{issuer.rstrip('/')}/.well-known/openid-configuration"), issuer)
    keys = read_keys(await _get(house, about.jwks_uri))
    house.board.issuers.pop(issuer, None)
    while len(house.board.issuers) >= _ISSUERS_MOST:
        house.board.issuers.pop(next(iter(house.board.issuers)))
    found = house.board.issuers[issuer] = KnownIssuer(about, tuple(keys), now_us)
    return found


async def believed_claims(house: House, issuer: str, token: str) -> Mapping[str, Any]:
    """Give what a token says if the provider has signed it; keys are asked for anew when none fits.

    Raises:
        NotAuthenticated: it has not.
    """
    known = await reach_issuer(house, issuer)
    algorithm, keys = fitting_keys(token, list(known.keys))
    if not keys:
        known = await reach_issuer(house, issuer, fresh=True)
        algorithm, keys = fitting_keys(token, list(known.keys))
    return verified_claims(token, algorithm, keys)


async def redeem_code(
    house: House, about: Metadata, settings: OpenIdConnect, secret: str, asked: Mapping[str, str]
) -> tuple[str, str]:
    """Exchange a code for an id token and an access token.

    Args:
        asked: code, redirect_uri, code_verifier.

    Raises:
        NotAuthenticated: the provider does not take the code.
    """
    form = {"grant_type": "authorization_code", "client_id": settings.client_id, **asked}
    headers = [_FORM, (b"accept", b"application/json")]
    if secret and "client_secret_basic" in about.token_endpoint_auth_methods_supported:
        pair = f"{quote(settings.client_id, safe='')}:{quote(secret, safe='')}"
        headers.append((b"authorization", b"Basic " + base64.b64encode(pair.encode())))
        del form["client_id"]
    elif secret:
        form["client_secret"] = secret
    body = urlencode(form).encode()
    reply = await house.errands.run(
        "POST", about.token_endpoint, body, headers, timeout_s=_TIMEOUT_S, limit_bytes=_BYTES_MOST
    )
    said = _object(reply.body) if reply.status == 200 else {}
    id_token, access_token = said.get("id_token"), said.get("access_token", "")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise NotAuthenticated(f"the provider did not take the code (status {reply.status})", code="openid_refused")
    return id_token, access_token


async def user_claims(house: House, about: Metadata, access_token: str) -> Mapping[str, Any]:
    """Give what the provider tells about whoever has signed in; nothing where it does not."""
    if not about.userinfo_endpoint or not access_token:
        return {}
    headers = [(b"authorization", b"Bearer " + access_token.encode("latin-1", "replace"))]
    reply = await house.errands.run(
        "GET", about.userinfo_endpoint, b"", headers, timeout_s=_TIMEOUT_S, limit_bytes=_BYTES_MOST
    )
    return _object(reply.body) if reply.status == 200 else {}


async def _get(house: House, url: str) -> bytes:
    reply = await house.errands.run("GET", url, timeout_s=_TIMEOUT_S, limit_bytes=_BYTES_MOST, redirects=2)
    if reply.status != 200:
        raise SetupError(f"{url} answers with status {reply.status}; is this the issuer of an OpenID provider?")
    return reply.body


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
