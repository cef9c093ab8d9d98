"""How limits are said in the bodies of requests: all of them anew, or what shall be different."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from primeur.core.caller import Limits
from primeur.walks.given import given

Count = Annotated[int, msgspec.Meta(ge=1, le=1 << 31)]
TokenCount = Annotated[int, msgspec.Meta(ge=1, le=1 << 53)]


class NewLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of something new; null is no limit.

    Attributes:
        rpm, tpm: requests and tokens in any 60 seconds.
        concurrency: requests in flight.
        rpd, tpd: requests and tokens of a UTC day.
    """

    rpm: Count | None = None
    tpm: Count | None = None
    concurrency: Count | None = None
    rpd: Count | None = None
    tpd: TokenCount | None = None


class LimitsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; what is not given stays, null takes a limit away."""

    rpm: Count | UnsetType | None = UNSET
    tpm: Count | UnsetType | None = UNSET
    concurrency: Count | UnsetType | None = UNSET
    rpd: Count | UnsetType | None = UNSET
    tpd: TokenCount | UnsetType | None = UNSET


def new_limits(ask: NewLimits) -> Limits:
    """Give the limits that were asked for."""
    return Limits(ask.rpm, ask.tpm, ask.concurrency, ask.rpd, ask.tpd)


def changed_limits(old: Limits, change: LimitsChange) -> Limits:
    """Put what was given over what was there."""
    return Limits(
        given(change.rpm, old.rpm),
        given(change.tpm, old.tpm),
        given(change.concurrency, old.concurrency),
        given(change.rpd, old.rpd),
        given(change.tpd, old.tpd),
    )
