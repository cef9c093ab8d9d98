"""Dealings: each command checked against the papers, and the book that follows from it."""

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatch

from primeur.broker.bids import check_mirror, seal
from primeur.broker.book import Book, at, commit, let_go, moved, with_offer, with_request
from primeur.broker.commands import (
    AmendOffer,
    AmendRight,
    Answer,
    AnswerOffer,
    CancelRequest,
    CloseOffer,
    Command,
    CommitThird,
    GiveBack,
    GrantRight,
    MoveRight,
    OpenRequest,
    ReceiveNotice,
    SealBid,
    SendOffer,
    WithdrawOffer,
)
from primeur.broker.granting import amend_right, grant, move_right
from primeur.broker.papers import (
    OFFER,
    RELEASE,
    REQUEST,
    CapacityRequest,
    Commitment,
    Offer,
    OfferState,
    ReleaseState,
    RequestState,
)
from primeur.broker.rights import Mode, version_at
from primeur.broker.terms import hash_terms, more_favourable
from primeur.core.errors import BadRequest, Conflict, NotFound


def tell(book: Book, command: Command, now_ms: int) -> Book:
    """Give the book after a command; the book that was given is untouched.

    Raises:
        Conflict: the key was used for another command, or the papers do not allow this one now; says why.
        NotFound: an unknown paper.
        BadRequest: units or terms that cannot be.
    """
    before = book.told.get(command.key)
    if before is not None:
        if before != command:
            raise Conflict(f"key {command.key} was used for another command; repeat that one or take a new key")
        return book
    book = _do(command, at(book, now_ms))
    return replace(book, told={**book.told, command.key: command})


def replay(book: Book, commands: Iterable[tuple[int, Command]], now_ms: int) -> Book:
    """Give the book that follows from commands at their times, and the time now."""
    for at_ms, command in commands:
        book = tell(book, command, at_ms)
    return at(book, now_ms)


@singledispatch
def _do(command: Command, _book: Book) -> Book:
    raise BadRequest(f"{type(command).__name__} is no command to the book of papers")


@_do.register
def _grant(command: GrantRight, book: Book) -> Book:
    return grant(book, command.right)


@_do.register
def _amend_right(command: AmendRight, book: Book) -> Book:
    return amend_right(book, command.right)


@_do.register
def _move_right(command: MoveRight, book: Book) -> Book:
    return move_right(book, command.move)


@_do.register
def _seal(command: SealBid, book: Book) -> Book:
    return seal(book, _request(book, command.request), command)


@_do.register
def _open(command: OpenRequest, book: Book) -> Book:
    if command.request in book.requests:
        raise Conflict(f"request {command.request} exists; take another id")
    ceiling = command.ceiling
    right = version_at(book.versions, book.now_ms)
    covered = (
        right is not None
        and right.in_force(book.now_ms)
        and right.scope.covers(ceiling.workload_class, ceiling.sku, ceiling.zone, ceiling.units)
    )
    version = right.version if right is not None and covered else None
    request = CapacityRequest(command.request, ceiling.units, ceiling, book.now_ms, version)
    return replace(book, requests={**book.requests, request.id: request})


@_do.register
def _cancel(command: CancelRequest, book: Book) -> Book:
    request = _request(book, command.request)
    state = REQUEST.after(request.state, "give_up" if command.unmet else "cancel")
    if book.units_asked(request):
        raise Conflict(f"request {request.id} has an offer under way; withdraw or close it before cancelling")
    cancelled = request.cancelled + request.residual
    return with_request(book, replace(request, cancelled=cancelled, state=RequestState(state)))


@_do.register
def _send(command: SendOffer, book: Book) -> Book:
    request = _request(book, command.request)
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
    _within_free(book, request, command.terms.units)
    state = OfferState(OFFER.after(OfferState.PREPARED, "notice"))
    offer = Offer(command.offer, request.id, command.terms, hash_terms(command.terms), bid=command.bid, state=state)
    return with_offer(book, offer)


@_do.register
def _receive(command: ReceiveNotice, book: Book) -> Book:
    offer = _offer(book, command.offer)
    if command.hash != offer.hash:
        return with_offer(book, moved(offer, "void"))
    right = book.right_of(_request(book, offer.request))
    after = moved(offer, "receive")
    if right is None:
        raise Conflict(f"offer {offer.id} has no right behind it")
    period_ms = right.response_ms if offer.version == 1 else right.reoffer_ms
    return with_offer(book, replace(after, deadline_ms=book.now_ms + period_ms))


@_do.register
def _amend(command: AmendOffer, book: Book) -> Book:
    offer = _offer(book, command.offer)
    digest = hash_terms(command.terms)
    if digest == offer.hash:
        raise BadRequest(f"offer {offer.id} has these terms already; nothing to amend")
    after = moved(offer, "amend")
    more = command.terms.units - offer.terms.units
    if more > 0:
        _within_free(book, _request(book, offer.request), more)
    return with_offer(
        book, replace(after, terms=command.terms, hash=digest, version=offer.version + 1, deadline_ms=None)
    )


@_do.register
def _withdraw(command: WithdrawOffer, book: Book) -> Book:
    return with_offer(book, moved(_offer(book, command.offer), "withdraw"))


@_do.register
def _answer(command: AnswerOffer, book: Book) -> Book:
    offer = _offer(book, command.offer)
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


@_do.register
def _close(command: CloseOffer, book: Book) -> Book:
    offer = _offer(book, command.offer)
    after = moved(offer, "fail" if command.failed else "close")
    if command.failed:
        return let_go(book, after, offer.accepted, book.now_ms, "again")
    right = book.right_of(_request(book, offer.request))
    provider = right.holder if right is not None else ""
    terms = replace(offer.terms, units=offer.accepted)
    commitment = Commitment(command.commitment, offer.request, provider, terms, offer=offer.id)
    return commit(with_offer(book, after), commitment)


@_do.register
def _commit_third(command: CommitThird, book: Book) -> Book:
    request = _request(book, command.request)
    commitment = Commitment(command.commitment, request.id, command.provider, command.terms, release=command.release)
    if book.right_of(request) is None and command.release is None:
        _within_free(book, request, command.terms.units)
        return commit(book, commitment)
    window = book.releases.get(command.release or "")
    if window is None or window.request != request.id:
        raise Conflict(f"request {request.id} is under a right: offer it to the holder; then name what it let go")
    if window.left < command.terms.units:
        raise Conflict(f"release {window.id} is {window.state} with {window.left} units left; offer the rest again")
    better = more_favourable(command.terms, window.ceiling, window.tolerance_percent)
    if better:
        raise Conflict(f"{command.provider} would get better terms than the holder was offered: {', '.join(better)}")
    consumed = window.consumed + command.terms.units
    move = "consume_rest" if consumed == window.units else "consume_part"
    used = replace(window, consumed=consumed, state=ReleaseState(RELEASE.after(window.state, move)))
    return commit(replace(book, releases={**book.releases, window.id: used}), commitment)


@_do.register
def _give_back(command: GiveBack, book: Book) -> Book:
    window = book.releases.get(command.release)
    if window is None:
        raise NotFound(f"no release {command.release}; only an open one can be given back")
    state = ReleaseState(RELEASE.after(window.state, "give_back"))
    return replace(book, releases={**book.releases, window.id: replace(window, state=state)})


def _request(book: Book, name: str) -> CapacityRequest:
    found = book.requests.get(name)
    if found is None:
        raise NotFound(f"no request {name}; open it first")
    return found


def _offer(book: Book, name: str) -> Offer:
    found = book.offers.get(name)
    if found is None:
        raise NotFound(f"no offer {name}; send it first")
    return found


def _within_free(book: Book, request: CapacityRequest, units: int) -> None:
    free = book.free_units(request)
    if units > free:
        raise Conflict(
            f"request {request.id} has {free} free units, not {units}; the others are committed, offered or let go"
        )


def _check_part(book: Book, offer: Offer, units: int) -> None:
    right = book.right_of(_request(book, offer.request))
    block = right.partial_block if right is not None else None
    if not 1 <= units <= offer.terms.units:
        raise BadRequest(f"offer {offer.id} is for 1 to {offer.terms.units} units, not {units}")
    if units < offer.terms.units and (block is None or units % block):
        allowed = "all units or none" if block is None else f"multiples of {block} units"
        raise BadRequest(f"the right behind offer {offer.id} allows {allowed}, not {units}")
