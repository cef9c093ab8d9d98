"""Rights of first refusal: versions, scope, and the line between preference and hard terms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from primeur.core.errors import BadRequest, Conflict
from primeur.core.machine import Machine

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class RightState(StrEnum):
    """Where a right stands."""

    DRAFT = "draft"  # being written; binds nobody
    ACTIVE = "active"  # the holder is asked first
    SUSPENDED = "suspended"  # in dispute or default; may come back
    EXPIRED = "expired"  # its end date has passed
    RELEASED = "released"  # the holder gave it up, or a one-time right was used
    TERMINATED = "terminated"  # ended for cause


RIGHT = Machine(
    "right",
    {
        (RightState.DRAFT, "activate"): RightState.ACTIVE,
        (RightState.DRAFT, "terminate"): RightState.TERMINATED,
        (RightState.ACTIVE, "suspend"): RightState.SUSPENDED,
        (RightState.SUSPENDED, "resume"): RightState.ACTIVE,
        (RightState.ACTIVE, "expire"): RightState.EXPIRED,
        (RightState.SUSPENDED, "expire"): RightState.EXPIRED,
        (RightState.ACTIVE, "release"): RightState.RELEASED,
        (RightState.SUSPENDED, "release"): RightState.RELEASED,
        (RightState.ACTIVE, "terminate"): RightState.TERMINATED,
        (RightState.SUSPENDED, "terminate"): RightState.TERMINATED,
    },
)


class Mode(StrEnum):
    """What the holder is asked."""

    FIRST_OFFER = "first_offer"  # before anyone else bids, at our ceiling terms
    MATCH = "match"  # to mirror the best binding bid, its bidder hidden


@dataclass(frozen=True, slots=True)
class Scope:
    """What a right covers; None is everything.

    Attributes:
        minimum_units: smaller requests are outside the right.
        carve_outs: workload classes that are outside although they match.
    """

    workload_classes: frozenset[str] | None = None
    skus: frozenset[str] | None = None
    zones: frozenset[str] | None = None
    minimum_units: int = 0
    carve_outs: frozenset[str] = frozenset()

    def covers(self, workload_class: str, sku: str, zone: str, units: int) -> bool:
        """Say whether something is inside."""
        return (
            workload_class not in self.carve_outs
            and (self.workload_classes is None or workload_class in self.workload_classes)
            and (self.skus is None or sku in self.skus)
            and (self.zones is None or zone in self.zones)
            and units >= self.minimum_units
        )

    def overlaps(self, other: "Scope") -> bool:
        """Say whether something can be inside both, sizes aside."""
        classes = _shared(self.workload_classes, other.workload_classes)
        carved = self.carve_outs | other.carve_outs
        return (
            (classes is None or bool(classes - carved))
            and _shared(self.skus, other.skus) != frozenset()
            and _shared(self.zones, other.zones) != frozenset()
        )


def _shared(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


@dataclass(frozen=True, slots=True)
class HardTerms:
    """What never bends, holder or not: kept apart from the preference.

    Attributes:
        exclusive_models: names that only the holder may serve, ever.
        zones: where work in scope may be done; None is anywhere.
    """

    exclusive_models: frozenset[str] = frozenset()
    zones: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """One version of a right; an amendment is a new version, effective from its date.

    Attributes:
        effective_ms, expires_ms: UTC milliseconds; the version is in force from the first, and not at the second.
        response_ms: how long the holder may think, from receipt.
        reoffer_ms: the same, for an offer made again because its terms changed.
        sale_window_ms: how long a release may be used.
        partial_block: the holder may take multiples of this; 1 is any quantity, None is all or nothing.
        tolerance_percent: how much more favourable a third party's terms may be before the holder is asked again.
    """

    id: str
    version: int
    grantor: str
    holder: str
    effective_ms: int
    expires_ms: int
    mode: Mode = Mode.FIRST_OFFER
    scope: Scope = Scope()
    hard: HardTerms = HardTerms()
    response_ms: int = 72 * HOUR_MS
    reoffer_ms: int = 24 * HOUR_MS
    sale_window_ms: int = 90 * DAY_MS
    partial_block: int | None = 1
    tolerance_percent: int = 0
    one_time: bool = False
    transferable: bool = False
    state: RightState = field(default=RightState.ACTIVE)

    def __post_init__(self) -> None:
        """Refuse what cannot be a right.

        Raises:
            BadRequest: dates in the wrong order, no time to answer, a block or tolerance below its least.
        """
        if self.expires_ms <= self.effective_ms:
            raise BadRequest(f"right {self.id} ends before it begins; set expires_ms after effective_ms")
        if min(self.response_ms, self.reoffer_ms, self.sale_window_ms) <= 0:
            raise BadRequest(f"right {self.id} needs response, re-offer and sale windows above zero")
        if self.tolerance_percent < 0 or (self.partial_block is not None and self.partial_block < 1):
            raise BadRequest(f"right {self.id}: tolerance must be 0 or more and a partial block 1 or more")

    def in_force(self, now_ms: int) -> bool:
        """Say whether the holder must be asked first at this moment."""
        return self.state == RightState.ACTIVE and self.effective_ms <= now_ms < self.expires_ms


def version_at(versions: Sequence[Right], trigger_ms: int) -> Right | None:
    """Give the version that governs something triggered at a moment: the newest that was effective then.

    Raises:
        Conflict: two versions have one number, or versions of several rights are mixed.
    """
    if len({right.id for right in versions}) > 1 or len({right.version for right in versions}) < len(versions):
        raise Conflict("versions must be of one right, each number once; amend with the next number")
    effective = [right for right in versions if right.effective_ms <= trigger_ms]
    return max(effective, key=lambda right: right.version, default=None)


def amend(old: Right, new: Right) -> Right:
    """Check that a version follows another, and give it.

    Raises:
        Conflict: another right, not the next number, or effective before the version it supersedes.
    """
    if new.id != old.id or new.version != old.version + 1:
        raise Conflict(f"right {old.id} is at version {old.version}; amend it with version {old.version + 1}")
    if new.effective_ms < old.effective_ms:
        raise Conflict(f"version {new.version} of right {old.id} cannot take effect before version {old.version} did")
    if new.holder != old.holder and not old.transferable:
        raise Conflict(f"right {old.id} is not transferable; {old.holder} stays its holder, or grant another right")
    return new
