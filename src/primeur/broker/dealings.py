"""Dealings: each command checked against the papers, and the book that follows from it."""

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatch

from primeur.broker.bids import seal
from primeur.broker.book import Book, at, with_request
from primeur.broker.commands import (
    AmendCommitment,
    AmendOffer,
    AmendRight,
    AnswerOffer,
    CancelCommitment,
    CancelRequest,
    CloseOffer,
    Command,
    CommitThird,
    ExhaustCommitment,
    GiveBack,
    GrantRight,
    MoveRight,
    OpenRequest,
    ReceiveNotice,
    SealBid,
    SendOffer,
    WithdrawOffer,
)
from primeur.broker.committing import (
    amend_commitment,
    cancel_commitment,
    commit_third,
    exhaust_commitment,
    give_back,
)
from primeur.broker.granting import amend_right, grant, move_right
from primeur.broker.offering import (
    amend_offer,
    answer_offer,
    close_offer,
    receive_notice,
    send_offer,
    withdraw_offer,
)
from primeur.broker.papers import REQUEST, CapacityRequest, RequestState
from primeur.broker.rights import version_at
from primeur.core.errors import BadRequest, Conflict


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
    return seal(book, book.request(command.request), command)


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
    request = book.request(command.request)
    state = REQUEST.after(request.state, "give_up" if command.unmet else "cancel")
    if book.units_asked(request):
        raise Conflict(f"request {request.id} has an offer under way; withdraw or close it before cancelling")
    cancelled = request.cancelled + request.residual
    return with_request(book, replace(request, cancelled=cancelled, state=RequestState(state)))


# What is done to offers and commitments stands in modules of their own.
_do.register(SendOffer, send_offer)
_do.register(ReceiveNotice, receive_notice)
_do.register(AmendOffer, amend_offer)
_do.register(WithdrawOffer, withdraw_offer)
_do.register(AnswerOffer, answer_offer)
_do.register(CloseOffer, close_offer)
_do.register(CommitThird, commit_third)
_do.register(AmendCommitment, amend_commitment)
_do.register(CancelCommitment, cancel_commitment)
_do.register(ExhaustCommitment, exhaust_commitment)
_do.register(GiveBack, give_back)
