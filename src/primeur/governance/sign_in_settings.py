"""How an organisation's people sign in: session limits, passwords, and what members of groups are; pure."""

from collections.abc import Collection
from typing import Annotated

import msgspec

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


class SignInSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people sign in.

    Attributes:
        idle_minutes: a session that rests longer ends.
        most_minutes: a session ends then, however much it is used.
        passwords: people may have one; links stay.
        groups: roles of groups that an identity provider keeps over SCIM; the first line that fits holds.
    """

    idle_minutes: Minutes = 720
    most_minutes: Minutes = 10_080
    passwords: bool = True
    groups: Annotated[list[GroupRole], msgspec.Meta(max_length=200)] = []


DEFAULT = SignInSettings()


def read_document(document: str | None) -> SignInSettings:
    """Read settings as they are kept; none are the defaults."""
    return DEFAULT if document is None else msgspec.json.decode(document, type=SignInSettings)


def check_settings(settings: SignInSettings) -> SignInSettings:
    """Let settings be kept.

    Raises:
        BadRequest: limits that contradict each other.
    """
    if settings.idle_minutes > settings.most_minutes:
        raise BadRequest("idle_minutes must not be above most_minutes", param="idle_minutes")
    return settings


def role_for(groups: Collection[str], table: list[GroupRole]) -> GroupRole | None:
    """Give what somebody in *groups* is, by the first line that fits; None: no line does."""
    return next((line for line in table if line.group in groups), None)
