"""How an organisation's people sign in: session limits and passwords; pure."""

from typing import Annotated

import msgspec

from primeur.core.errors import BadRequest

Minutes = Annotated[int, msgspec.Meta(ge=1, le=525_600)]


class SignInSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people sign in.

    Attributes:
        idle_minutes: a session that rests longer ends.
        most_minutes: a session ends then, however much it is used.
        passwords: people may have one; links stay.
    """

    idle_minutes: Minutes = 720
    most_minutes: Minutes = 10_080
    passwords: bool = True


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
