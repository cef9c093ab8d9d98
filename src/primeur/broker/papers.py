"""The four papers of procurement: request, offer, release window, commitment; each state machine is a table."""

from dataclasses import dataclass
from enum import StrEnum

from primeur.broker.terms import Terms
from primeur.core.machine import Machine


class RequestState(StrEnum):
    """Where a capacity request stands."""

    DRAFT = "draft"  # being written; asks nobody
    OPEN = "open"  # nothing is committed yet
    PARTLY_COMMITTED = "partly_committed"  # some units are
    COMMITTED = "committed"  # all that was not cancelled is
    CANCELLED = "cancelled"  # the rest is not wanted any more
    UNMET = "unmet"  # the rest was wanted and nobody had it


REQUEST = Machine(
    "capacity request",
    {
        (RequestState.DRAFT, "open"): RequestState.OPEN,
        (RequestState.DRAFT, "cancel"): RequestState.CANCELLED,
        (RequestState.OPEN, "commit_part"): RequestState.PARTLY_COMMITTED,
        (RequestState.OPEN, "commit_rest"): RequestState.COMMITTED,
        (RequestState.OPEN, "cancel"): RequestState.CANCELLED,
        (RequestState.OPEN, "give_up"): RequestState.UNMET,
        (RequestState.PARTLY_COMMITTED, "commit_part"): RequestState.PARTLY_COMMITTED,
        (RequestState.PARTLY_COMMITTED, "commit_rest"): RequestState.COMMITTED,
        (RequestState.PARTLY_COMMITTED, "cancel"): RequestState.CANCELLED,
        (RequestState.PARTLY_COMMITTED, "give_up"): RequestState.UNMET,
    },
)


class OfferState(StrEnum):
    """Where an offer to the holder stands."""

    PREPARED = "prepared"  # written, not sent
    NOTICED = "noticed"  # sent; no clock runs yet
    OPEN = "open"  # received; the clock runs
    ACCEPTED = "accepted"  # all units
    PARTLY_ACCEPTED = "partly_accepted"  # some units; the rest is let go
    DECLINED = "declined"  # said no
    COUNTERED = "countered"  # said no, and what would be a yes
    LAPSED = "lapsed"  # said nothing in time
    WAIVED = "waived"  # let these units at these terms go, and nothing else
    WITHDRAWN = "withdrawn"  # taken back by us; nothing is let go
    VOID = "void"  # the notice was defective; nothing is let go
    CLOSED = "closed"  # an acceptance became a commitment
    FAILED_TO_CLOSE = "failed_to_close"  # an acceptance did not


OFFER = Machine(
    "offer",
    {
        (OfferState.PREPARED, "notice"): OfferState.NOTICED,
        (OfferState.PREPARED, "withdraw"): OfferState.WITHDRAWN,
        (OfferState.NOTICED, "receive"): OfferState.OPEN,
        (OfferState.NOTICED, "amend"): OfferState.NOTICED,
        (OfferState.NOTICED, "void"): OfferState.VOID,
        (OfferState.NOTICED, "withdraw"): OfferState.WITHDRAWN,
        (OfferState.OPEN, "amend"): OfferState.NOTICED,
        (OfferState.OPEN, "accept"): OfferState.ACCEPTED,
        (OfferState.OPEN, "accept_part"): OfferState.PARTLY_ACCEPTED,
        (OfferState.OPEN, "decline"): OfferState.DECLINED,
        (OfferState.OPEN, "counter"): OfferState.COUNTERED,
        (OfferState.OPEN, "lapse"): OfferState.LAPSED,
        (OfferState.OPEN, "waive"): OfferState.WAIVED,
        (OfferState.OPEN, "withdraw"): OfferState.WITHDRAWN,
        (OfferState.ACCEPTED, "close"): OfferState.CLOSED,
        (OfferState.ACCEPTED, "fail"): OfferState.FAILED_TO_CLOSE,
        (OfferState.PARTLY_ACCEPTED, "close"): OfferState.CLOSED,
        (OfferState.PARTLY_ACCEPTED, "fail"): OfferState.FAILED_TO_CLOSE,
    },
)


class ReleaseState(StrEnum):
    """Where a release window stands."""

    OPEN = "open"  # third parties may have what is left of it
    CONSUMED = "consumed"  # nothing is left
    EXPIRED = "expired"  # the right has revived over what was left


RELEASE = Machine(
    "release window",
    {
        (ReleaseState.OPEN, "consume_part"): ReleaseState.OPEN,
        (ReleaseState.OPEN, "consume_rest"): ReleaseState.CONSUMED,
        (ReleaseState.OPEN, "expire"): ReleaseState.EXPIRED,
        (ReleaseState.OPEN, "give_back"): ReleaseState.EXPIRED,
    },
)


class CommitmentState(StrEnum):
    """Where a commitment stands, in the life-cycle words of FOCUS 1.4."""

    PROPOSED = "Proposed"  # agreed in principle, not signed
    PENDING = "Pending"  # signed, not begun
    ACTIVE = "Active"  # may be used
    EXHAUSTED = "Exhausted"  # used up before its end
    EXPIRED = "Expired"  # its term is over
    CANCELED = "Canceled"  # ended before its term
    SUPERSEDED = "Superseded"  # another took its place


COMMITMENT = Machine(
    "commitment",
    {
        (CommitmentState.PROPOSED, "sign"): CommitmentState.PENDING,
        (CommitmentState.PROPOSED, "cancel"): CommitmentState.CANCELED,
        (CommitmentState.PENDING, "begin"): CommitmentState.ACTIVE,
        (CommitmentState.PENDING, "cancel"): CommitmentState.CANCELED,
        (CommitmentState.PENDING, "supersede"): CommitmentState.SUPERSEDED,
        (CommitmentState.ACTIVE, "exhaust"): CommitmentState.EXHAUSTED,
        (CommitmentState.ACTIVE, "expire"): CommitmentState.EXPIRED,
        (CommitmentState.ACTIVE, "cancel"): CommitmentState.CANCELED,
        (CommitmentState.ACTIVE, "supersede"): CommitmentState.SUPERSEDED,
    },
)


@dataclass(frozen=True, slots=True)
class CapacityRequest:
    """What we need.

    Attributes:
        trigger_ms: when it was opened; the version of the right in force then governs.
        right_version: that version's number; None when no right covered the request.
        committed, cancelled: units; what is left of *units* is the residual.
    """

    id: str
    units: int
    ceiling: Terms
    trigger_ms: int
    right_version: int | None
    committed: int = 0
    cancelled: int = 0
    state: RequestState = RequestState.OPEN

    @property
    def residual(self) -> int:
        """Units neither committed nor cancelled."""
        return self.units - self.committed - self.cancelled


@dataclass(frozen=True, slots=True)
class Bid:
    """What a third party has bound itself to; sealed: the holder sees its terms, never whose they are."""

    id: str
    request: str
    provider: str
    terms: Terms
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What the holder is asked.

    Attributes:
        version: of the terms; a material change is the next one.
        hash: fingerprint of the terms, which an answer must name.
        deadline_ms: an answer must come before it; None until the notice was received.
        accepted: units the holder took.
        bid: the bid that is mirrored, sealed: never shown to the holder.
    """

    id: str
    request: str
    terms: Terms
    hash: str
    version: int = 1
    deadline_ms: int | None = None
    accepted: int = 0
    counter: Terms | None = None
    bid: str | None = None
    state: OfferState = OfferState.PREPARED


@dataclass(frozen=True, slots=True)
class ReleaseWindow:
    """What the holder let go: so many units, at no better terms, until a moment."""

    id: str
    request: str
    units: int
    ceiling: Terms
    tolerance_percent: int
    opens_ms: int
    expires_ms: int
    consumed: int = 0
    state: ReleaseState = ReleaseState.OPEN

    @property
    def left(self) -> int:
        """Units that third parties may still have."""
        return self.units - self.consumed if self.state == ReleaseState.OPEN else 0


@dataclass(frozen=True, slots=True)
class Commitment:
    """What was agreed.

    Attributes:
        release: the window that a third party's commitment used; None for the holder's own, and outside any right.
        replaces: the commitment whose place it took.
        ended_ms: when it was used up, superseded or cancelled; None where it was not, or its term ended it.
    """

    id: str
    request: str
    provider: str
    terms: Terms
    offer: str | None = None
    release: str | None = None
    replaces: str | None = None
    ended_ms: int | None = None
    state: CommitmentState = CommitmentState.PENDING

    @property
    def end_ms(self) -> int:
        """The end of its term."""
        return self.terms.start_ms + self.terms.term_ms
