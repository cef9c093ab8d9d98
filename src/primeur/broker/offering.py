"""Offers to the holder: sent, received, amended, withdrawn, answered, signed; each gives the book that follows."""

from dataclasses import replace

from primeur.broker.bids import check_mirror
from primeur.broker.book import Book, check_free, commit, let_go, moved, with_offer
from primeur.broker.commands import (
    AmendOffer,
    Answer,
    AnswerOffer,
    CloseOffer,
    ReceiveNotice,
    SendOffer,
    WithdrawOffer,
)
from primeur.broker.papers import OFFER, Commitment, Offer, OfferState
from primeur.broker.rights import Mode
from primeur.broker.terms import hash_terms
from primeur.core.errors import BadRequest, Conflict


def send_offer(command: SendOffer, book: Book) -> Book:
    """Ask the holder for units of a request."""
    request = book.request(command.request)
    if command.offer in book.offers:
        raise Conflict(f"offer {command.offer} exists; take another id")
    right = book.right_of(request)
    if right is None:
        raise Conflict(f"no right covered request {request.id} when it was opened; commit without an offer")
    if right.mode is Mode.MATCH and command.bid is None:
        raise Conflict(f"right {right.id} is one to match: collect sealed bids and name the best of them")
    bid = book.bids.get(command.bid or "")
    if bid is not None:
        check_mirror(book, bid, command)
    check_free(book, request, command.terms.units)
    state = OfferState(OFFER.after(OfferState.PREPARED, "notice"))
    offer = Offer(command.offer, request.id, command.terms, hash_terms(command.terms), bid=command.bid, state=state)
    return with_offer(book, offer)


def receive_notice(command: ReceiveNotice, book: Book) -> Book:
    """Start the clock of an offer whose notice has arrived; one that names other terms is void."""
    offer = book.offer(command.offer)
    if command.hash != offer.hash:
        return with_offer(book, moved(offer, "void"))
    right = book.right_of(book.request(offer.request))
    after = moved(offer, "receive")
    if right is None:
        raise Conflict(f"offer {offer.id} has no right behind it")
    period_ms = right.response_ms if offer.version == 1 else right.reoffer_ms
    return with_offer(book, replace(after, deadline_ms=book.now_ms + period_ms))


def amend_offer(command: AmendOffer, book: Book) -> Book:
    """Put other terms into an unanswered offer."""
    offer = book.offer(command.offer)
    digest = hash_terms(command.terms)
    if digest == offer.hash:
        raise BadRequest(f"offer {offer.id} has these terms already; nothing to amend")
    after = moved(offer, "amend")
    more = command.terms.units - offer.terms.units
    if more > 0:
        check_free(book, book.request(offer.request), more)
    return with_offer(
        book, replace(after, terms=command.terms, hash=digest, version=offer.version + 1, deadline_ms=None)
    )


def withdraw_offer(command: WithdrawOffer, book: Book) -> Book:
    """Take an offer back."""
    return with_offer(book, moved(book.offer(command.offer), "withdraw"))


def answer_offer(command: AnswerOffer, book: Book) -> Book:
    """Take the holder's word, and let go what it did not take."""
    offer = book.offer(command.offer)
    if offer.state == OfferState.LAPSED:
        raise Conflict(f"offer {offer.id} lapsed at {offer.deadline_ms} ms UTC; an answer after that changes nothing")
    if command.hash != offer.hash:
        raise Conflict(f"offer {offer.id} is at version {offer.version} with other terms; answer to hash {offer.hash}")
    if command.answer != Answer.ACCEPT:
        after = replace(moved(offer, command.answer.value), counter=command.counter)
        return let_go(book, after, offer.terms.units, book.now_ms)
    units = offer.terms.units if command.units is None else command.units
    _check_part(book, offer, units)
    after = replace(moved(offer, "accept" if units == offer.terms.units else "accept_part"), accepted=units)
    return let_go(book, after, offer.terms.units - units, book.now_ms)


def close_offer(command: CloseOffer, book: Book) -> Book:
    """Make a commitment of an acceptance; what failed to be signed is let go."""
    offer = book.offer(command.offer)
    after = moved(offer, "fail" if command.failed else "close")
    if command.failed:
        return let_go(book, after, offer.accepted, book.now_ms, "again")
    right = book.right_of(book.request(offer.request))
    provider = right.holder if right is not None else ""
    terms = replace(offer.terms, units=offer.accepted)
    commitment = Commitment(command.commitment, offer.request, provider, terms, offer=offer.id)
    return commit(with_offer(book, after), commitment)


def _check_part(book: Book, offer: Offer, units: int) -> None:
    right = book.right_of(book.request(offer.request))
    block = right.partial_block if right is not None else None
    if not 1 <= units <= offer.terms.units:
        raise BadRequest(f"offer {offer.id} is for 1 to {offer.terms.units} units, not {units}")
    if units < offer.terms.units and (block is None or units % block):
        allowed = "all units or none" if block is None else f"multiples of {block} units"
        raise BadRequest(f"the right behind offer {offer.id} allows {allowed}, not {units}")
