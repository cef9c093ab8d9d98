"""What a ``primeur.toml`` says of a right, in the words of the API; an unknown one is refused, deep inside too."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from primeur.broker.rights import Mode


class ScopeFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `primeur.broker.rights.Scope`."""

    workload_classes: frozenset[str] | None = None
    skus: frozenset[str] | None = None
    zones: frozenset[str] | None = None
    minimum_units: int = 0
    carve_outs: frozenset[str] = frozenset()


class HardFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `primeur.broker.rights.HardTerms`."""

    exclusive_models: frozenset[str] = frozenset()
    zones: frozenset[str] | None = None


class PolicyFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `primeur.broker.arrangements.Policy`."""

    units: int
    least_price_nanos: int | None = None
    most_price_nanos: int | None = None


class ArrangementFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `primeur.broker.arrangements.Arrangements`."""

    policy: PolicyFields | None = None
    webhook: str | None = None
    reply_at: str = ""
    closes: Literal["at_once", "by_hand"] = "at_once"


class DeclaredRight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A right's terms; what is not said stays, or is the API's default in a new right.

    A new right is active at once, and a changed one has its next version from then on.
    """

    holder: str
    grantor: str | UnsetType = UNSET
    expires_ms: int | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    scope: ScopeFields | UnsetType = UNSET
    hard: HardFields | UnsetType = UNSET
    response_ms: int | UnsetType = UNSET
    reoffer_ms: int | UnsetType = UNSET
    sale_window_ms: int | UnsetType = UNSET
    partial_block: int | UnsetType | None = UNSET
    tolerance_percent: int | UnsetType = UNSET
    one_time: bool | UnsetType = UNSET
    transferable: bool | UnsetType = UNSET
    arrangements: ArrangementFields | UnsetType = UNSET
