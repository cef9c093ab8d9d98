"""The register: every paper of a book as one line, with its state and the moment at which the clock moves it on."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from primeur.broker.book import Book
from primeur.broker.papers import (
    Bid,
    CapacityRequest,
    Commitment,
    CommitmentState,
    Offer,
    OfferState,
    ReleaseState,
    ReleaseWindow,
)
from primeur.broker.rights import RIGHT, Right


class Kind(StrEnum):
    """What a line is about."""

    RIGHT = "right"
    REQUEST = "request"
    BID = "bid"
    OFFER = "offer"
    WINDOW = "window"
    COMMITMENT = "commitment"


Paper = Right | CapacityRequest | Bid | Offer | ReleaseWindow | Commitment
KINDS: dict[Kind, type[Paper]] = {
    Kind.RIGHT: Right,
    Kind.REQUEST: CapacityRequest,
    Kind.BID: Bid,
    Kind.OFFER: Offer,
    Kind.WINDOW: ReleaseWindow,
    Kind.COMMITMENT: Commitment,
}
_BID_STATE = "sealed"


@dataclass(frozen=True, slots=True)
class Line:
    """One paper.

    Attributes:
        request: the request it is about; its own id for a request, empty for a right.
        due_ms: when the clock moves it, UTC milliseconds; None: never.
    """

    id: str
    kind: Kind
    request: str
    state: str
    due_ms: int | None
    paper: Paper


def lines_of(book: Book) -> dict[str, Line]:
    """Give every paper's line, by the paper's id."""
    return {line.id: line for line in _lines(book)}


def changed(before: Book, after: Book) -> list[Line]:
    """Give the lines that are new or differ."""
    known = lines_of(before)
    return [line for line in lines_of(after).values() if known.get(line.id) != line]


def _lines(book: Book) -> Iterator[Line]:
    right = book.right
    if right is not None:
        due_ms = right.expires_ms if (right.state, "expire") in RIGHT.moves else None
        yield Line(right.id, Kind.RIGHT, "", right.state, due_ms, right)
    for request in book.requests.values():
        yield Line(request.id, Kind.REQUEST, request.id, request.state, None, request)
    for bid in book.bids.values():
        yield Line(bid.id, Kind.BID, bid.request, _BID_STATE, None, bid)
    for offer in book.offers.values():
        due_ms = offer.deadline_ms if offer.state == OfferState.OPEN else None
        yield Line(offer.id, Kind.OFFER, offer.request, offer.state, due_ms, offer)
    for window in book.releases.values():
        due_ms = window.expires_ms if window.state == ReleaseState.OPEN else None
        yield Line(window.id, Kind.WINDOW, window.request, window.state, due_ms, window)
    for one in book.commitments.values():
        yield Line(one.id, Kind.COMMITMENT, one.request, one.state, _commitment_due_ms(one), one)


def _commitment_due_ms(one: Commitment) -> int | None:
    moments = {CommitmentState.PENDING: one.terms.start_ms, CommitmentState.ACTIVE: one.end_ms}
    return moments.get(one.state)
