"""How an organisation's people sign in: session limits, passwords, OpenID Connect, roles of groups; pure."""

from collections.abc import Collection
from typing import Annotated

import msgspec

from primeur.core.egress import read_url
from primeur.core.errors import BadRequest

Minutes = Annotated[int, msgspec.Meta(ge=1, le=525_600)]

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class GroupRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What members of a group at the identity provider are here.

    Attributes:
        group: its name there.
        project: name or id of the project they are at home in; where they are already when not given.
    """

    group: Text
    role: Text
    project: str = ""


class OpenIdConnect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider of OpenID Connect.

    Attributes:
        issuer: its URL, under which ``/.well-known/openid-configuration`` lies.
        client_secret: sealed when it is kept; ``env:NAME`` and ``file:PATH`` are read when it is needed; empty: the
            client is public.
        label: what the sign-in page calls it.
        name_claim: the claim that becomes the user name, and by which somebody who is a member already is known.
        groups_claim: the claim that names groups; their roles are in the settings' ``groups``.
        role: what a new person without any of those groups is; empty: not let in.
        trusts_addresses: an e-mail address counts even where the provider does not say that it is verified.
    """

    issuer: Text
    client_id: Text
    client_secret: Annotated[str, msgspec.Meta(max_length=8192)] = ""
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "OpenID Connect"
    scopes: Text = "openid profile email"
    name_claim: Text = "email"
    groups_claim: Text = "groups"
    role: Annotated[str, msgspec.Meta(max_length=64)] = ""
    trusts_addresses: bool = False


class SignInSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people sign in.

    Attributes:
        idle_minutes: a session that rests longer ends.
        most_minutes: a session ends then, however much it is used.
        passwords: people may have one; links, passkeys and the provider stay.
        openid_connect: where people may sign in too; null: nowhere.
        groups: roles of groups that an identity provider names or keeps over SCIM; the first line that fits holds.
    """

    idle_minutes: Minutes = 720
    most_minutes: Minutes = 10_080
    passwords: bool = True
    openid_connect: OpenIdConnect | None = None
    groups: Annotated[list[GroupRole], msgspec.Meta(max_length=200)] = []


DEFAULT = SignInSettings()


def read_document(document: str | None) -> SignInSettings:
    """Read settings as they are kept; none are the defaults."""
    return DEFAULT if document is None else msgspec.json.decode(document, type=SignInSettings)


def check_settings(settings: SignInSettings) -> SignInSettings:
    """Let settings be kept.

    Raises:
        BadRequest: limits that contradict each other, an issuer that is no URL, scopes without ``openid``.
    """
    if settings.idle_minutes > settings.most_minutes:
        raise BadRequest("idle_minutes must not be above most_minutes", param="idle_minutes")
    provider = settings.openid_connect
    if provider is not None:
        read_url(provider.issuer)
        if "openid" not in provider.scopes.split():
            raise BadRequest("scopes must have openid among them", param="openid_connect.scopes")
    return settings


def role_for(groups: Collection[str], table: list[GroupRole]) -> GroupRole | None:
    """Give what somebody in *groups* is, by the first line that fits; None: no line does."""
    return next((line for line in table if line.group in groups), None)
