"""Who may do what: roles as a table of permissions, keys as texts that can be found and checked; pure."""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Mapping
from hashlib import blake2b

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotAuthenticated, NotPermitted

KEY_PREFIX = "pk_"
LINK_PREFIX = "pl_"
SESSION_PREFIX = "ps_"

PERMISSIONS: dict[str, str] = {
    "inference": "ask models for answers",
    "files": "keep files and uploads",
    "batches": "run batches",
    "responses": "keep responses and conversations",
    "models:read": "see models and versions",
    "models:write": "add and retire models",
    "deployments:read": "see deployments and how they are doing",
    "deployments:write": "deploy, remove and alias",
    "engine-logs:read": "read what engines write into their logs",
    "providers:read": "see providers, without their secrets",
    "providers:write": "add and remove providers",
    "prices:read": "see prices",
    "prices:write": "set prices",
    "ledger:read": "read and prove the ledger",
    "budgets:read": "see budgets and limits",
    "budgets:write": "set budgets, and limits of organisations and deployments",
    "rights:read": "see rights of first refusal and what was said under them",
    "rights:write": "grant, amend and move rights of first refusal",
    "capacity:read": "see requests, offers, windows and commitments of capacity",
    "capacity:write": "request capacity, ask holders and commit; see sealed bids",
    "capacity:answer": "answer offers in a holder's name",
    "plans:read": "see plans",
    "plans:write": "offer and remove plans",
    "billing:read": "see customers, subscriptions, credits and invoices",
    "statements:read": "see statements of providers and partners, margins and distributions",
    "statements:write": "state what providers and partners are owed, pay it, and distribute profit",
    "billing:write": "add customers, subscribe them, grant credits and invoice",
    "projects:read": "see projects",
    "projects:write": "add and change projects",
    "keys:read": "see keys, never their text",
    "keys:write": "create, change and revoke keys",
    "members:read": "see members, service accounts, roles and groups",
    "members:write": "invite, change and remove members and service accounts; make sign-in links",
    "roles:write": "make and remove roles of one's own",
    "sessions:read": "see who is signed in",
    "sessions:write": "end sessions of others",
    "sign-in:read": "see how people sign in",
    "sign-in:write": "set how people sign in: passwords, OpenID Connect, roles of groups, session limits",
    "scim": "provision members and groups over SCIM",
    "organisations:write": "add organisations",
    "usage:read": "see what was used",
    "log:read": "search the request log",
    "audit:read": "search, export and verify the event log",
    "webhooks:read": "see deliveries of webhooks",
    "webhooks:write": "try deliveries again, and see what receivers check them with",
    "data:read": "see what becomes of a project's data",
    "data:write": "change what becomes of data, erase and export it",
    "audit:write": "sign the end of the event log",
    "metrics:read": "read the service's metrics",
    "account:read": "see what its own key may do",
    "organisation": "act on every project of one's organisation, not just one's own",
    "house": "act for the whole house: every organisation, and what all of them share",
}

_CALLS = {
    "inference",
    "files",
    "batches",
    "responses",
    "models:read",
    "deployments:read",
    "prices:read",
    "plans:read",
    "account:read",
}
_READS = {word for word in PERMISSIONS if word.endswith(":read")}
_ALL = frozenset(PERMISSIONS)

roles: dict[str, frozenset[str]] = {
    "owner": _ALL,
    "admin": _ALL,
    "operator": frozenset(
        _CALLS
        | _READS
        | {"models:write", "deployments:write", "providers:write", "webhooks:write", "organisation", "house"}
        | {"rights:write", "capacity:write", "capacity:answer"}
    ),
    "billing": frozenset(
        _READS - {"log:read", "audit:read", "engine-logs:read"}
        | {"prices:write", "budgets:write", "plans:write", "billing:write", "statements:write", "organisation", "house"}
    ),
    "auditor": frozenset(_READS | {"audit:write", "organisation", "house"}),
    "member": frozenset(_CALLS | {"keys:read", "projects:read", "usage:read", "log:read", "budgets:read"}),
}

_NO_ROLES: Mapping[str, frozenset[str]] = {}

# What organisations other than the founding one may do at most. Whatever is not named here touches what all of them
# share, so that a permission that is new is shut to them until somebody thinks about it.
_OF_TENANTS = frozenset(
    _CALLS
    | {word for word in PERMISSIONS if word.startswith(("projects:", "keys:", "members:", "roles:", "sessions:"))}
    | {"sign-in:read", "sign-in:write", "scim", "usage:read", "log:read", "budgets:read", "organisation"}
)

# 28 random bytes and 4 of checksum make 43 characters of base 64 without padding.
_SECRET_BYTES = 28
_CHECK_BYTES = 4
KEY_PATTERN = re.compile(r"p[kls]_[A-Za-z0-9_-]{43}")


def spell(prefix: str, entropy: Callable[[int], bytes]) -> str:
    """Make the text of a key, link or session: prefix, 28 random bytes and their CRC-32, in url-safe base 64.

    The prefix lets leaked keys be found by a pattern; the checksum tells a typing mistake from a foreign key.
    """
    secret = entropy(_SECRET_BYTES)
    return prefix + _encode(secret + _checksum(prefix, secret))


def is_spelled(text: str) -> bool:
    """Whether *text* has the form and the checksum of one of our keys; says nothing of whether it is known."""
    if KEY_PATTERN.fullmatch(text) is None:
        return False
    prefix, body = text[:3], text[3:]
    try:
        raw = base64.urlsafe_b64decode(body + "=")
    except binascii.Error:
        return False
    # The last character has two spare bits: only one spelling of a key is right.
    return _encode(raw) == body and raw[_SECRET_BYTES:] == _checksum(prefix, raw[:_SECRET_BYTES])


def digest_key(text: str, pepper: bytes) -> bytes:
    """Give what is stored of a key: 32 bytes, of no use without *pepper*.

    A look-up by this digest tells nothing by its time: all of the text goes into the digest before anything is
    compared, and without *pepper* nobody can make a text whose digest begins like that of a key.

    Source: RFC 7693, keyed BLAKE2b.
    """
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=32, key=pepper).digest()


def operator_key(pepper: bytes) -> str:
    """Give the key of whoever can read this house's data folder; it may do everything and is stored nowhere."""
    secret = blake2b(b"operator", digest_size=_SECRET_BYTES, key=pepper).digest()
    return spell(KEY_PREFIX, lambda _: secret)


def hint_of(text: str) -> str:
    """Give what is shown of a key to tell it from others: ``pk_Ab12...wxyz``."""
    return f"{text[:7]}...{text[-4:]}"


def permissions_of(role: str, custom: Mapping[str, frozenset[str]] = _NO_ROLES, *, home: bool = True) -> frozenset[str]:
    """Give what *role* may do.

    Args:
        custom: roles that the organisation made.
        home: it is the organisation that runs the house; others never act on what all of them share.

    Raises:
        BadRequest: there is no such role; names those that exist.
    """
    found = roles.get(role) or custom.get(role)
    if found is None:
        raise BadRequest(f"there is no role {role!r}; choose one of {', '.join([*roles, *custom])}", param="role")
    return found if home else found & _OF_TENANTS


def check(caller: Caller, permission: str, deployment: str | None, now_ms: int) -> None:
    """Let *caller* pass, or say why not.

    Args:
        deployment: the name (not the alias) that the caller wants to use; None where none is used.

    Raises:
        NotAuthenticated: the key or session is past its time.
        NotPermitted: *permission* or *deployment* is not among the caller's.
    """
    if caller.expires_ms is not None and now_ms >= caller.expires_ms:
        raise NotAuthenticated(f"the key {caller.name!r} has expired; ask for a new one", code="expired_api_key")
    if permission not in caller.permissions:
        raise NotPermitted(f"the key {caller.name!r} may not {PERMISSIONS[permission]} ({permission})")
    if deployment is not None and caller.deployments is not None and deployment not in caller.deployments:
        raise NotPermitted(f"the key {caller.name!r} may not use the deployment {deployment!r}", param="model")


def check_grant(caller: Caller, role: str, granted: frozenset[str]) -> None:
    """Let *caller* give *role*, which may do what is *granted*: nobody hands out more than they have.

    Raises:
        NotPermitted: the role can do what the caller can't.
    """
    beyond = granted - caller.permissions
    if beyond:
        raise NotPermitted(f"the role {role!r} may do more than {caller.name!r}: {', '.join(sorted(beyond))}")


def visible_project(caller: Caller) -> str | None:
    """Give the only project whose affairs *caller* sees unless another is named; None: those of the whole house."""
    return None if "house" in caller.permissions else caller.project_id


def may_see(caller: Caller, organisation_id: str, project_id: str) -> bool:
    """Whether a project is for *caller* to see: their own, any of their organisation, or any of the house."""
    if "house" in caller.permissions:
        return True
    if "organisation" in caller.permissions:
        return organisation_id == caller.organisation_id
    return project_id == caller.project_id


def _checksum(prefix: str, secret: bytes) -> bytes:
    return zlib.crc32(prefix.encode() + secret).to_bytes(_CHECK_BYTES, "big")


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
