"""The book of papers: what it holds follows from what it was told and the time, and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from primeur.broker.commands import Command
from primeur.broker.papers import (
    COMMITMENT,
    OFFER,
    RELEASE,
    REQUEST,
    Bid,
    CapacityRequest,
    Commitment,
    CommitmentState,
    Offer,
    OfferState,
    ReleaseState,
    ReleaseWindow,
    RequestState,
)
from primeur.broker.rights import RIGHT, Right, RightState
from primeur.core.errors import Conflict, NotFound

Paper = TypeVar("Paper")
_UNDER_OFFER = frozenset({OfferState.PREPARED, OfferState.NOTICED, OfferState.OPEN})
_ACCEPTED = frozenset({OfferState.ACCEPTED, OfferState.PARTLY_ACCEPTED})


@dataclass(frozen=True, slots=True)
class Book:
    """All papers under one right; never changed, only followed by another.

    Attributes:
        versions: of the right; empty when there is none.
        now_ms: the latest moment the book has been told; it never goes back.
        told: key of each command to the command.
    """

    versions: tuple[Right, ...] = ()
    requests: Mapping[str, CapacityRequest] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    releases: Mapping[str, ReleaseWindow] = field(default_factory=dict)
    bids: Mapping[str, Bid] = field(default_factory=dict)
    commitments: Mapping[str, Commitment] = field(default_factory=dict)
    told: Mapping[str, Command] = field(default_factory=dict)
    now_ms: int = 0

    @property
    def right(self) -> Right | None:
        """The newest version of the right, in force or not."""
        return max(self.versions, key=lambda right: right.version, default=None)

    def right_of(self, request: CapacityRequest) -> Right | None:
        """Give the version that governs a request: the one in force when it was opened."""
        return next((right for right in self.versions if right.version == request.right_version), None)

    def free_units(self, request: CapacityRequest) -> int:
        """Count the units of a request that nobody is asked for, nobody has accepted and nobody was let go."""
        let_go = sum(window.left for window in self.releases.values() if window.request == request.id)
        return request.residual - self.units_asked(request) - let_go

    def units_asked(self, request: CapacityRequest) -> int:
        """Count the units that the holder is asked for, or has accepted without closing yet."""
        offers = [offer for offer in self.offers.values() if offer.request == request.id]
        asked = sum(offer.terms.units for offer in offers if offer.state in _UNDER_OFFER)
        return asked + sum(offer.accepted for offer in offers if offer.state in _ACCEPTED)

    def request(self, name: str) -> CapacityRequest:
        """Give a request.

        Raises:
            NotFound: there is none of this id.
        """
        return known(self.requests, name, f"no request {name}; open it first")

    def offer(self, name: str) -> Offer:
        """Give an offer.

        Raises:
            NotFound: there is none of this id.
        """
        return known(self.offers, name, f"no offer {name}; send it first")

    def commitment(self, name: str) -> Commitment:
        """Give a commitment.

        Raises:
            NotFound: there is none of this id.
        """
        hint = "`primeur capacity commitments` shows those there are"
        return known(self.commitments, name, f"no commitment {name}; {hint}")


def known(papers: Mapping[str, Paper], name: str, otherwise: str) -> Paper:
    """Give the paper of an id.

    Raises:
        NotFound: there is none; says what *otherwise* says.
    """
    found = papers.get(name)
    if found is None:
        raise NotFound(otherwise)
    return found


def check_free(book: Book, request: CapacityRequest, units: int) -> None:
    """Let so many units of a request be offered or committed.

    Raises:
        Conflict: fewer are free.
    """
    free = book.free_units(request)
    if units > free:
        raise Conflict(
            f"request {request.id} has {free} free units, not {units}; the others are committed, offered or let go"
        )


def at(book: Book, now_ms: int) -> Book:
    """Let time pass: offers lapse, windows expire and commitments begin and end at their moments, seen or unseen.

    A clock that jumps back changes nothing.
    """
    now_ms = max(now_ms, book.now_ms)
    for offer in sorted(book.offers.values(), key=lambda offer: (offer.deadline_ms or 0, offer.id)):
        if offer.state == OfferState.OPEN and offer.deadline_ms is not None and offer.deadline_ms <= now_ms:
            book = let_go(book, moved(offer, "lapse"), offer.terms.units, offer.deadline_ms)
    releases = dict(book.releases)
    for window in book.releases.values():
        if window.state == ReleaseState.OPEN and window.expires_ms <= now_ms:
            releases[window.id] = replace(window, state=ReleaseState(RELEASE.after(window.state, "expire")))
    commitments = {name: aged(commitment, now_ms) for name, commitment in book.commitments.items()}
    right = book.right
    if right is not None and right.expires_ms <= now_ms and (right.state, "expire") in RIGHT.moves:
        book = with_state(book, "expire")
    return replace(book, releases=releases, commitments=commitments, now_ms=now_ms)


def with_state(book: Book, move: str) -> Book:
    """Move the right by its table; its state is that of all its versions.

    Raises:
        Conflict: the table has no such move.
    """
    assert book.right is not None  # noqa: S101
    state = RightState(RIGHT.after(book.right.state, move))
    return replace(book, versions=tuple(replace(right, state=state) for right in book.versions))


def let_go(book: Book, offer: Offer, units: int, opens_ms: int, suffix: str = "") -> Book:
    """Put an offer into the book, and open a release window over the units that the holder did not take."""
    book = with_offer(book, offer)
    right = book.right_of(book.requests[offer.request])
    if not units or right is None:
        return book
    window = ReleaseWindow(
        id=f"{offer.id}/released{suffix}",
        request=offer.request,
        units=units,
        ceiling=offer.terms,
        tolerance_percent=right.tolerance_percent,
        opens_ms=opens_ms,
        expires_ms=opens_ms + right.sale_window_ms,
    )
    return replace(book, releases={**book.releases, window.id: window})


def commit(book: Book, commitment: Commitment) -> Book:
    """Put a commitment into the book and count it in its request.

    Raises:
        Conflict: the id is taken.
    """
    if commitment.id in book.commitments:
        raise Conflict(f"commitment {commitment.id} exists; take another id")
    request = book.requests[commitment.request]
    committed = request.committed + commitment.terms.units
    move = "commit_rest" if committed + request.cancelled == request.units else "commit_part"
    state = RequestState(REQUEST.after(request.state, move))
    book = with_request(book, replace(request, committed=committed, state=state))
    right = book.right_of(request)
    if right is not None and right.one_time and right.state == RightState.ACTIVE and state == RequestState.COMMITTED:
        # It was for one purchase, which is made.
        book = with_state(book, "release")
    return replace(book, commitments={**book.commitments, commitment.id: aged(commitment, book.now_ms)})


def moved(offer: Offer, move: str) -> Offer:
    """Move an offer by its table.

    Raises:
        Conflict: the table has no such move.
    """
    return replace(offer, state=OfferState(OFFER.after(offer.state, move)))


def with_offer(book: Book, offer: Offer) -> Book:
    """Put an offer into the book."""
    return replace(book, offers={**book.offers, offer.id: offer})


def with_request(book: Book, request: CapacityRequest) -> Book:
    """Put a request into the book."""
    return replace(book, requests={**book.requests, request.id: request})


def aged(commitment: Commitment, now_ms: int) -> Commitment:
    """Let a commitment begin and end at its moments."""
    state: str = commitment.state
    if state == CommitmentState.PENDING and commitment.terms.start_ms <= now_ms:
        state = COMMITMENT.after(state, "begin")
    if state == CommitmentState.ACTIVE and commitment.end_ms <= now_ms:
        state = COMMITMENT.after(state, "expire")
    return commitment if state == commitment.state else replace(commitment, state=CommitmentState(state))
