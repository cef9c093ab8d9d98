"""How an organisation's people sign in: session limits, passwords, and an OpenID Connect provider; pure."""

from typing import Annotated

import msgspec

from primeur.core.egress import read_url
from primeur.core.errors import BadRequest

Minutes = Annotated[int, msgspec.Meta(ge=1, le=525_600)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]

_SECRET_FORMS = ("env:", "file:")


class GroupRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What members of a group at the identity provider are here.

    Attributes:
        group: its name there.
        project: name or id of the project; the default project of the organisation when not given.
    """

    group: Text
    role: Text
    project: str = ""


class OpenIdConnect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider of OpenID Connect.

    Attributes:
        issuer: its URL, under which ``/.well-known/openid-configuration`` lies.
        client_secret: ``env:NAME`` or ``file:PATH``, never the secret; empty for a public client.
        groups_claim: the claim of the id token that names groups.
        groups: the first one that a person is in decides the role.
        role: what a person without any of the groups is; empty: not let in.
        name_claim: the claim that becomes the user name.
    """

    issuer: Text
    client_id: Text
    client_secret: str = ""
    scopes: Text = "openid profile email"
    groups_claim: Text = "groups"
    name_claim: Text = "email"
    groups: Annotated[list[GroupRole], msgspec.Meta(max_length=200)] = []
    role: str = ""


class SignInSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people sign in.

    Attributes:
        idle_minutes: a session that rests longer ends.
        most_minutes: a session ends then, however much it is used.
        passwords: people may have one; links, passkeys and the provider stay.
        groups: roles of groups that SCIM provisions, as for the provider.
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
        BadRequest: limits that contradict each other, an issuer that is no URL, a secret that is spelled out.
    """
    if settings.idle_minutes > settings.most_minutes:
        raise BadRequest("idle_minutes must not be above most_minutes", param="idle_minutes")
    provider = settings.openid_connect
    if provider is not None:
        read_url(provider.issuer)
        if provider.client_secret and not provider.client_secret.startswith(_SECRET_FORMS):
            raise BadRequest(
                "client_secret must be env:NAME or file:PATH, never the secret itself",
                param="openid_connect.client_secret",
            )
    return settings


def role_for(groups: frozenset[str], table: list[GroupRole], otherwise: str = "") -> tuple[str, str] | None:
    """Give role and project (empty: the default one) for somebody in *groups*; None: they are not let in."""
    for line in table:
        if line.group in groups:
            return line.role, line.project
    return (otherwise, "") if otherwise else None
