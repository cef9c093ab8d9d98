"""What an OpenID Connect provider says, and what of it may be believed; pure.

Sources: OpenID Connect Core 1.0 (3.1.3.7, 5.1), Discovery 1.0; RFC 7636 (PKCE); RFC 9207 (iss in the answer).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from primeur.core.errors import NotAuthenticated, SetupError
from primeur.governance.sign_in_settings import OpenIdConnect

Claims = Mapping[str, Any]
Jwk = dict[str, Any]
_KEY_TYPES = {"RS256": "RSA", "ES256": "EC"}
_RSA_BITS_LEAST = 2048
_LEEWAY_S = 60
_TIMES = (("exp", None), ("iat", None), ("nbf", 0))
_KEYS_MOST, _GROUPS_MOST, _TEXT_MOST = 100, 1000, 254
# The claims are checked by `check_claims`, against a clock that is handed in.
_SIGNATURE_ALONE = {
    f"verify_{name}": name == "signature" for name in ("signature", "exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself, as far as it matters here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


@dataclass(frozen=True, slots=True)
class KnownIssuer:
    """What a provider said, and when: monotonic microseconds."""

    about: Metadata
    keys: tuple[Jwk, ...]
    asked_us: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What an id token must say; *now_s*: seconds since 1970."""

    issuer: str
    client_id: str
    nonce: str
    now_s: float


@dataclass(frozen=True, slots=True)
class Person:
    """Who a provider says has signed in there; *groups* is None where it says nothing of groups."""

    subject: str
    user_name: str
    name: str
    groups: frozenset[str] | None


def read_metadata(body: bytes, issuer: str) -> Metadata:
    """Read a provider's configuration.

    Raises:
        SetupError: it is none, or somebody else's.
    """
    try:
        found = msgspec.json.decode(body, type=Metadata)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SetupError(f"the configuration of {issuer} cannot be read ({error}); is this its issuer?") from None
    if found.issuer != issuer:
        raise SetupError(f"{issuer} says that its issuer is {found.issuer[:200]!r}; the setting must say the same")
    schemes = {"https", urlsplit(issuer).scheme}
    for address in (found.authorization_endpoint, found.end_session_endpoint):
        if address and not _leads(address, schemes):
            raise SetupError(f"{issuer} names {address[:200]!r}, where no browser may be sent")
    return found


def _leads(address: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname)


def read_keys(body: bytes) -> list[Jwk]:
    """Read a provider's public keys, a hundred at most.

    Raises:
        SetupError: they are none.
    """
    try:
        keys = msgspec.json.decode(body, type=dict[str, Any])["keys"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        keys = None
    if not isinstance(keys, list):
        raise SetupError("the provider's keys cannot be read; is its jwks_uri right?")
    return [one for one in keys[:_KEYS_MOST] if isinstance(one, dict)]


def challenge_of(verifier: str) -> str:
    """Give what goes before a verifier (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def authorization_url(about: Metadata, settings: OpenIdConnect, **asked: str) -> str:
    """Give where a browser is sent to sign in; *asked*: redirect_uri, state, nonce, code_challenge."""
    fixed = {"response_type": "code", "client_id": settings.client_id, "scope": settings.scopes}
    query = urlencode(fixed | {"code_challenge_method": "S256"} | asked)
    return f"{about.authorization_endpoint}{'&' if '?' in about.authorization_endpoint else '?'}{query}"


def fitting_keys(token: str, keys: list[Jwk]) -> tuple[str, list[Jwk]]:
    """Give the algorithm that a token names, and the provider's keys that it may be signed with.

    Raises:
        NotAuthenticated: it is no token, or of an algorithm that is not believed (only RS256 and ES256 are).
    """
    import jwt  # noqa: PLC0415 (3 MB that a house without OpenID Connect does without)

    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise _refused("is no signed token") from None
    algorithm, kid = str(header.get("alg")), header.get("kid")
    if algorithm not in _KEY_TYPES:
        raise _refused(f"is signed with {algorithm[:20]!r}; only RS256 and ES256 are believed")
    return algorithm, [
        one
        for one in keys
        if one.get("kty") == _KEY_TYPES[algorithm]
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (kid is None or one.get("kid") == kid)
    ]


def verified_claims(token: str, algorithm: str, keys: list[Jwk]) -> Claims:
    """Give what a token says if one of *keys* has signed it.

    Raises:
        NotAuthenticated: none has.
    """
    import jwt  # noqa: PLC0415 (3 MB that a house without OpenID Connect does without)

    for one in keys:
        try:
            key = jwt.PyJWK(one, algorithm).key
            if algorithm == "RS256" and key.key_size < _RSA_BITS_LEAST:
                continue
            return dict(jwt.decode(token, key, algorithms=[algorithm], options=_SIGNATURE_ALONE))  # type: ignore[arg-type]
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    raise _refused("is not signed with any of the provider's keys")


def check_claims(claims: Claims, expected: Expected) -> str:
    """Let an id token pass; gives its subject.

    Raises:
        NotAuthenticated: it is for somebody else, of another time, or of another sign-in.
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != expected.issuer:
        raise _refused("is of another issuer")
    if expected.client_id not in audiences:
        raise _refused("is for another client")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != expected.client_id:
        raise _refused("was made for another client")
    until_s, made_s, from_s = (_seconds(claims.get(name, default)) for name, default in _TIMES)
    if until_s <= expected.now_s - _LEEWAY_S:
        raise _refused("has expired")
    if max(made_s, from_s) > expected.now_s + _LEEWAY_S:
        raise _refused("is of a time to come; is the clock right?")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), expected.nonce.encode()):
        raise _refused("belongs to another sign-in")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) < 256:
        raise _refused("names nobody")
    return subject


def read_person(claims: Claims, settings: OpenIdConnect) -> Person:
    """Give who a provider says this is.

    Raises:
        NotAuthenticated: there is no user name, or it is an e-mail address that is not verified.
    """
    user_name = claims.get(settings.name_claim)
    if not isinstance(user_name, str) or not 0 < len(user_name) <= _TEXT_MOST or not user_name.isprintable():
        raise _refused(f"has no {settings.name_claim!r}; is the scope for it asked for?")
    verified = str(claims.get("email_verified", "")).lower() == "true" or settings.trusts_addresses
    if settings.name_claim == "email" and not verified:
        raise _refused("names an e-mail address that the provider has not verified")
    name = claims.get("name")
    groups = claims.get(settings.groups_claim)
    listed = groups if isinstance(groups, list) else [groups]
    return Person(
        subject=str(claims["sub"]),
        user_name=user_name,
        name=name[:200] if isinstance(name, str) and name.isprintable() and name else user_name[:200],
        groups=None if groups is None else frozenset(one for one in listed[:_GROUPS_MOST] if isinstance(one, str)),
    )


def _seconds(value: Any) -> float:
    if type(value) not in {int, float}:
        raise _refused("does not say when it was made and until when it holds")
    return float(value)


def _refused(why: str) -> NotAuthenticated:
    return NotAuthenticated(f"the provider's answer {why}", code="openid_refused")
