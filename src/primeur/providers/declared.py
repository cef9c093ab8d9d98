"""What every provider's declaration shares: reading settings, refusing unknown ones by name, and making an endpoint."""

import re
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from primeur.core.chat import Endpoint, Route
from primeur.core.errors import SetupError
from primeur.core.ports import Settings

T = TypeVar("T")
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]
Connections = Annotated[int, msgspec.Meta(ge=1, le=65536)]
Tokens = Annotated[int, msgspec.Meta(ge=1)]
Feature = Literal["tools", "vision", "suffix"]

_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,1024}")
_SECRET = re.compile(r"[\x21-\x7e]{1,8192}")
_CREDENTIALS = frozenset({"authorization", "api-key", "x-api-key", "cookie", "proxy-authorization"})
_FRAMING = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding", "expect"}
)


class Deployed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a deployment may say about its model; each overrules the provider's own setting."""

    routes: tuple[Route, ...] | None = None
    context_tokens: Tokens | None = None
    features: tuple[Feature, ...] | None = None


class Declared(Deployed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every provider may declare beside its own settings."""

    headers: dict[str, str] = {}
    max_connections: Connections = 512
    connect_timeout_s: Seconds = 5.0
    silence_timeout_s: Seconds = 300.0


def read_settings(settings: Settings, kind: type[T], whose: str) -> T:
    """Check *settings* against *kind*.

    Raises:
        SetupError: a setting is unknown, missing or of another type; *param* is its name.
    """
    try:
        return msgspec.convert(dict(settings), kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        name = path.rstrip("`").removeprefix(".") or _quoted(reason)
        raise SetupError(f"{whose}: setting {name!r}: {_in_words(reason)}", param=name) from None


def _quoted(reason: str) -> str:
    parts = reason.split("`")
    return parts[1] if len(parts) > 1 else ""


def _in_words(reason: str) -> str:
    if reason.startswith("Object contains unknown field"):
        return "is unknown; remove it or see docs/providers.md for the ones there are"
    if reason.startswith("Object missing required field"):
        return "is missing"
    return reason[:1].lower() + reason[1:]


def make_endpoint(url: str, declared: Declared, credentials: dict[str, str], whose: str, setting: str) -> Endpoint:
    """Make the endpoint that *url* names, with *credentials* and the declared headers.

    Raises:
        SetupError: the URL is not plain http(s), or a header cannot be sent.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SetupError(f"{whose}: {setting} {url!r} is not an http(s) URL; write https://host/path", param=setting)
    if parts.username or parts.password or parts.query or parts.fragment:
        reason = "carries a user, query or fragment; give keys through env: or file: settings"
        raise SetupError(f"{whose}: {setting} {reason}", param=setting)
    return Endpoint(
        scheme=parts.scheme,
        host=parts.hostname,
        port=_port(parts.port, parts.scheme),
        prefix=parts.path.rstrip("/"),
        headers=_headers(declared.headers, credentials, whose),
        max_connections=declared.max_connections,
        connect_timeout_s=declared.connect_timeout_s,
        silence_timeout_s=declared.silence_timeout_s,
    )


def _port(given: int | None, scheme: str) -> int:
    return given or (443 if scheme == "https" else 80)


def _headers(extra: dict[str, str], credentials: dict[str, str], whose: str) -> tuple[tuple[bytes, bytes], ...]:
    headers = {name.lower(): value for name, value in extra.items()}
    for name, value in headers.items():
        if name in _CREDENTIALS:
            # A literal credential would end up in the database and in backups.
            message = f"{whose}: header {name!r} is a credential; declare it as key or token with env: or file:"
            raise SetupError(message, param=f"headers.{name}")
        if name in _FRAMING or not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise SetupError(f"{whose}: header {name!r} cannot be set; remove it", param=f"headers.{name}")
    headers |= credentials
    return tuple((name.encode(), value.encode("latin-1")) for name, value in sorted(headers.items()))


def clean_secret(value: str, whose: str, setting: str) -> str:
    """Give a key as it must be sent: without the newline that files end with.

    Raises:
        SetupError: empty, or with characters that no header can carry.
    """
    text = value.strip()
    if not _SECRET.fullmatch(text):
        raise SetupError(f"{whose}: {setting} is empty or not a key; look at what env: or file: names", param=setting)
    return text


def routes_of(declared: Deployed, deployed: Deployed, default: frozenset[Route]) -> frozenset[Route]:
    """Which routes a model serves: as its deployment says, else its provider, else *default*."""
    chosen = deployed.routes if deployed.routes is not None else declared.routes
    return default if chosen is None else frozenset(chosen)


def features_of(declared: Deployed, deployed: Deployed, default: frozenset[str]) -> frozenset[str]:
    """What a model can do: as its deployment says, else its provider, else *default*."""
    chosen = deployed.features if deployed.features is not None else declared.features
    return default if chosen is None else frozenset(chosen)
