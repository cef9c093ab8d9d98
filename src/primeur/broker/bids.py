"""Sealed bids of third parties: what the holder of a right to match is asked to mirror."""

from dataclasses import replace

from primeur.broker.book import Book
from primeur.broker.commands import SealBid, SendOffer
from primeur.broker.papers import Bid, CapacityRequest
from primeur.core.errors import BadRequest, Conflict


def seal(book: Book, request: CapacityRequest, command: SealBid) -> Book:
    """Put a bid into the book.

    Raises:
        Conflict: the id is taken, or it is the holder's own.
        BadRequest: it binds for no time, or offers more units than are wanted.
    """
    if command.bid in book.bids:
        raise Conflict(f"bid {command.bid} exists; take another id")
    right = book.right_of(request)
    if right is not None and right.holder == command.provider:
        raise Conflict(f"{command.provider} holds the right: it is offered the best bid, and makes none")
    if command.expires_ms <= book.now_ms:
        raise BadRequest("a bid must be binding for some time: expires_ms is over", param="expires_ms")
    if command.terms.units > request.units:
        raise BadRequest(f"request {request.id} is for {request.units} units, not {command.terms.units}")
    bid = Bid(command.bid, request.id, command.provider, command.terms, command.expires_ms)
    return replace(book, bids={**book.bids, bid.id: bid})


def best_bid(book: Book, request: str) -> Bid | None:
    """Give the best binding bid for a request: the lowest price; then the larger, then the earlier one."""
    binding = [bid for bid in book.bids.values() if bid.request == request and bid.expires_ms > book.now_ms]
    return min(binding, key=lambda bid: (bid.terms.unit_price_nanos, -bid.terms.units), default=None)


def check_mirror(book: Book, bid: Bid, command: SendOffer) -> None:
    """Let an offer pass that mirrors the best binding bid, or a part of it.

    Raises:
        Conflict: there is a better one, it binds no more, or the terms differ.
    """
    best = best_bid(book, command.request)
    if best is None or best.terms.unit_price_nanos < bid.terms.unit_price_nanos or bid.expires_ms <= book.now_ms:
        raise Conflict(f"bid {bid.id} is not the best binding one for request {command.request}; mirror that")
    if replace(command.terms, units=bid.terms.units) != bid.terms or command.terms.units > bid.terms.units:
        raise Conflict(f"offer {command.offer} does not mirror bid {bid.id}; offer its terms as they are")
