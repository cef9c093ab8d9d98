"""Tell a book of capacity something: the command, what follows from it, the register, events and notices at once."""

from collections.abc import Callable
from dataclasses import asdict, replace

import msgspec

from primeur.broker.arrangements import follow_up
from primeur.broker.book import Book, at
from primeur.broker.book_rows import Kept, add_command, keep_lines, load_book, note_delivery
from primeur.broker.commands import Command, ReceiveNotice
from primeur.broker.dealings import tell as tell_book
from primeur.broker.links import Link, write_link
from primeur.broker.papers import CapacityRequest, Commitment, Offer, OfferState, ReleaseWindow
from primeur.broker.register import Line, changed
from primeur.broker.rights import HOUR_MS, Right
from primeur.core.events import (
    AnyEvent,
    BidSealed,
    CapacityRequestMoved,
    CommitmentMoved,
    OfferMoved,
    ReleaseMoved,
    RightMoved,
)
from primeur.store.database import Tx, tell
from primeur.walks.house import House
from primeur.walks.send_webhook import write_webhook

HOUSE = "house"
_FOLLOWS_MOST = 1000
# A notice may be under way for so long before the holder's own time begins.
_RECEIPT_MS = 24 * HOUR_MS

Say = Callable[[Book], Command]


async def tell_kept(house: House, book_id: str, say: Say, actor: str) -> Kept:
    """As `write_command`, in a transaction of its own."""
    kept = await house.store.transact(lambda tx: write_command(tx, house, book_id, say, actor))
    house.board.books[book_id] = kept
    return kept


def write_command(tx: Tx, house: House, book_id: str, say: Say, actor: str) -> Kept:
    """Tell a book what *say* makes of it, and all that follows without anybody's doing.

    Raises:
        Conflict, NotFound, BadRequest: the book refuses it; nothing is changed.
    """
    before = load_book(tx, book_id, house.board.books.get(book_id), to_write=True)
    now_ms = house.clock.now_ms()
    kept = _told(tx, before, say(at(before.book, now_ms)), actor, now_ms)
    return _followed(tx, house, before, kept, now_ms)


def receipt_of(offer: Offer) -> ReceiveNotice:
    """What notes that an offer's notice has arrived; however often and by whomever it is told, it is told once."""
    return ReceiveNotice(f"{offer.id}/{offer.version}/receive", offer.id, offer.hash)


def let_time_pass(tx: Tx, house: House, book_id: str) -> Kept:
    """Let the clock move what is due in a book, and what follows from it."""
    before = load_book(tx, book_id, house.board.books.get(book_id), to_write=True)
    now_ms = house.clock.now_ms()
    return _followed(tx, house, before, replace(before, book=at(before.book, now_ms)), now_ms)


def _told(tx: Tx, kept: Kept, command: Command, actor: str, now_ms: int) -> Kept:
    book = tell_book(kept.book, command, now_ms)
    if command.key in kept.book.told:
        return kept
    return add_command(tx, replace(kept, book=book), command, actor)


def _followed(tx: Tx, house: House, before: Kept, kept: Kept, now_ms: int) -> Kept:
    for _ in range(_FOLLOWS_MOST):
        say = next((one for one in follow_up(kept.book, kept.arrangements) if one.key not in kept.book.told), None)
        if say is None:
            break
        kept = _told(tx, kept, say, HOUSE, now_ms)
    lines = changed(before.book, kept.book)
    keep_lines(tx, kept, lines, now_ms)
    for line in lines:
        tell(tx, _event(line), actor=HOUSE, at_ms=now_ms)
        _notify(tx, house, kept, line)
    return kept


def _event(line: Line) -> AnyEvent:
    paper = line.paper
    if isinstance(paper, Right):
        return RightMoved(paper.id, paper.holder, paper.version, line.state)
    if isinstance(paper, CapacityRequest):
        return CapacityRequestMoved(paper.id, line.state)
    if isinstance(paper, Offer):
        return OfferMoved(paper.id, paper.request, paper.version, line.state)
    if isinstance(paper, ReleaseWindow):
        return ReleaseMoved(paper.id, paper.request, line.state)
    if isinstance(paper, Commitment):
        return CommitmentMoved(paper.id, paper.request, paper.provider, line.state)
    return BidSealed(paper.id, paper.request)


def _notify(tx: Tx, house: House, kept: Kept, line: Line) -> None:
    """Send an offer's notice: its terms and their hash, and a link that answers them."""
    offer, url = line.paper, kept.arrangements.webhook
    right = kept.book.right
    if url is None or right is None or not isinstance(offer, Offer) or offer.state != OfferState.NOTICED:
        return
    expires_ms = house.clock.now_ms() + max(right.response_ms, right.reoffer_ms) + _RECEIPT_MS
    token = write_link(house.place.pepper, Link(offer.id, offer.hash, expires_ms))
    path = f"/api/v1/capacity/answers/{token}"
    notice = {
        "right": right.id,
        "holder": right.holder,
        "offer": offer.id,
        "version": offer.version,
        "hash": offer.hash,
        "terms": msgspec.to_builtins(asdict(offer.terms)),
        "response_ms": right.response_ms if offer.version == 1 else right.reoffer_ms,
        "answer_at": f"{kept.arrangements.reply_at}{path}",
        "link_expires_ms": expires_ms,
    }
    note_delivery(tx, offer.id, write_webhook(tx, house, url, "capacity.offer", notice))
