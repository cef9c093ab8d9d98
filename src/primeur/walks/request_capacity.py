"""Buy capacity: request it, collect bids, ask the holder, commit, and let third parties have what was let go."""

from dataclasses import replace

from primeur.broker.arrangements import Arrangements
from primeur.broker.bids import best_bid
from primeur.broker.book import Book
from primeur.broker.book_rows import (
    OPEN_BOOK,
    OPEN_NAME,
    Kept,
    add_book,
    find_paper,
    list_books,
    load_book,
)
from primeur.broker.commands import (
    AmendOffer,
    AnswerOffer,
    CancelRequest,
    CloseOffer,
    Command,
    OpenRequest,
    ReceiveNotice,
    SealBid,
    SendOffer,
    WithdrawOffer,
)
from primeur.broker.papers import Offer, OfferState
from primeur.broker.register import Kind
from primeur.broker.rights import DAY_MS, Mode, version_at
from primeur.broker.terms import Terms
from primeur.core.caller import Caller
from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.keep_book import receipt_of, write_command
from primeur.walks.tell_paper import fresh_key, name_paper, tell_paper, transact_book


async def open_request(house: House, caller: Caller, ceiling: Terms, key: str | None) -> tuple[Kept, str]:
    """Ask for capacity under the right that covers it now, if one does; gives its book and the request's id.

    Raises:
        Conflict: the key was used for another request.
    """
    key, request = name_paper(house, "capacity_request", key)

    def work(tx: Tx) -> Kept:
        book_id = _book_known(tx, request) or _book_covering(tx, house, ceiling)
        return write_command(tx, house, book_id, lambda _: OpenRequest(key, request, ceiling), actor_of(caller))

    return await transact_book(house, work), request


async def seal_bid(  # noqa: PLR0913, PLR0917 (all that a bid says)
    house: House, caller: Caller, request: str, provider: str, terms: Terms, expires_ms: int | None, key: str | None
) -> tuple[Kept, str]:
    """Keep a third party's sealed bid; gives its book and the bid's id.

    Raises:
        NotFound: no such request.
        Conflict, BadRequest: see `primeur.broker.bids.seal`.
    """
    key, bid = name_paper(house, "bid", key)

    def say(book: Book) -> Command:
        told = book.told.get(key)
        known = told.expires_ms if isinstance(told, SealBid) else book.now_ms + 30 * DAY_MS
        return SealBid(key, bid, request, provider, terms, known if expires_ms is None else expires_ms)

    return await tell_paper(house, caller, Kind.REQUEST, request, say), bid


async def send_offer(
    house: House, caller: Caller, request: str, terms: Terms | None, key: str | None
) -> tuple[Kept, str]:
    """Ask the holder for what is free of a request: at *terms*, or our ceiling's; to match, at the best bid's.

    Raises:
        NotFound: no such request.
        Conflict: nothing is free, no right covers it, or there is no binding bid to match.
    """
    key, offer = name_paper(house, "offer", key)

    def say(book: Book) -> Command:
        told = book.told.get(key)
        if isinstance(told, SendOffer) and terms is None and told.request == request:
            return told
        paper = book.requests[request]
        right, free = book.right_of(paper), book.free_units(paper)
        if terms is None and free < 1:
            raise Conflict(f"request {request} has no free units; they are committed, offered or let go")
        if right is None or right.mode is Mode.FIRST_OFFER:
            return SendOffer(key, offer, request, terms or replace(paper.ceiling, units=free))
        bid = best_bid(book, request)
        if bid is None:
            raise Conflict(f"request {request} has no binding bid to match; collect sealed bids first")
        mirrored = replace(bid.terms, units=min(free, bid.terms.units))
        return SendOffer(key, offer, request, terms or mirrored, bid.id)

    return await tell_paper(house, caller, Kind.REQUEST, request, say), offer


async def cancel_request(house: House, caller: Caller, request: str, key: str | None, *, unmet: bool) -> Kept:
    """Give up what is left of a request."""
    key = key or fresh_key(house)
    return await tell_paper(house, caller, Kind.REQUEST, request, lambda _: CancelRequest(key, request, unmet))


async def receive_notice(house: House, caller: Caller, offer: str, digest: str, key: str | None) -> Kept:
    """Note that a notice has arrived, with this hash; the holder's clock starts."""
    key = key or fresh_key(house)
    return await tell_paper(house, caller, Kind.OFFER, offer, lambda _: ReceiveNotice(key, offer, digest))


async def amend_offer(house: House, caller: Caller, offer: str, terms: Terms, key: str | None) -> Kept:
    """Change an offer's terms: a new hash, a new notice, a new clock."""
    key = key or fresh_key(house)
    return await tell_paper(house, caller, Kind.OFFER, offer, lambda _: AmendOffer(key, offer, terms))


async def withdraw_offer(house: House, caller: Caller, offer: str, key: str | None) -> Kept:
    """Take an offer back."""
    key = key or fresh_key(house)
    return await tell_paper(house, caller, Kind.OFFER, offer, lambda _: WithdrawOffer(key, offer))


async def answer_offer(house: House, actor: str, answer: AnswerOffer) -> Kept:
    """The holder's word; whoever answers a notice has it, also where its delivery was not noted yet.

    Raises:
        NotFound: no such offer.
        Conflict: too late, resolved already, or to other terms.
        BadRequest: units that the right does not allow.
    """

    def work(tx: Tx) -> Kept:
        row = find_paper(tx, Kind.OFFER, answer.offer)
        offer = row.line.paper
        if isinstance(offer, Offer) and offer.state == OfferState.NOTICED and offer.hash == answer.hash:
            write_command(tx, house, row.book_id, lambda _: receipt_of(offer), actor)
        return write_command(tx, house, row.book_id, lambda _: answer, actor)

    return await transact_book(house, work)


async def close_offer(house: House, caller: Caller, offer: str, key: str | None, *, failed: bool) -> Kept:
    """Sign an acceptance, or say that it failed."""
    key = key or fresh_key(house)
    return await tell_paper(
        house, caller, Kind.OFFER, offer, lambda _: CloseOffer(key, offer, f"{offer}.commitment", failed)
    )


def _book_known(tx: Tx, request: str) -> str | None:
    try:
        return find_paper(tx, Kind.REQUEST, request).book_id
    except NotFound:
        return None


def _book_covering(tx: Tx, house: House, ceiling: Terms) -> str:
    """Give the book of the right that covers a request now; the open book where none does."""
    now_ms = house.clock.now_ms()
    books = list_books(tx)
    for book_id, _ in books:
        book = load_book(tx, book_id, house.board.books.get(book_id)).book
        # A clock that jumps back must not take a request from under a right that was in force already.
        moment_ms = max(now_ms, book.now_ms)
        right = version_at(book.versions, moment_ms)
        wanted = (ceiling.workload_class, ceiling.sku, ceiling.zone, ceiling.units)
        if right is not None and right.in_force(moment_ms) and right.scope.covers(*wanted):
            return book_id
    if OPEN_BOOK not in {book_id for book_id, _ in books}:
        add_book(tx, OPEN_BOOK, OPEN_NAME, Arrangements(), now_ms)
    return OPEN_BOOK
