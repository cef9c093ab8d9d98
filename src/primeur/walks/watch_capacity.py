"""Time in for capacity: deadlines move by the clock, and a notice that was delivered starts the holder's."""

import asyncio
from contextlib import suppress
from functools import partial

from primeur.broker.book_rows import books_due, find_paper, list_papers
from primeur.broker.papers import Offer, OfferState
from primeur.broker.register import Kind
from primeur.broker.source_rows import sheet_between
from primeur.core.errors import Conflict, NotFound
from primeur.governance.webhook_rows import find_delivery
from primeur.governance.webhook_rules import DELIVERED
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.keep_book import HOUSE, let_time_pass, receipt_of, write_command

_PERIOD_S = 0.25


async def watch_capacity(house: House, stop: asyncio.Event) -> None:
    """Look four times a second until *stop*."""
    seen_ms = house.clock.now_ms()
    while not stop.is_set():
        await move_on(house)
        now_ms = house.clock.now_ms()
        if await takes_effect(house, seen_ms, now_ms):
            house.board.stale.set()
        seen_ms = now_ms
        with suppress(TimeoutError):
            async with asyncio.timeout(_PERIOD_S):
                await stop.wait()


async def takes_effect(house: House, after_ms: int, now_ms: int) -> bool:
    """Whether something of a date has taken effect between two moments.

    A version of a right: who is asked first may have changed. A provider's sheet: its prices and capacity have.
    """
    if now_ms <= after_ms:
        return False
    if await house.store.read(lambda tx: sheet_between(tx, after_ms, now_ms)):
        return True
    versions = [version for kept in house.board.books.values() for version in kept.book.versions]
    return any(after_ms < version.effective_ms <= now_ms for version in versions)


async def move_on(house: House) -> int:
    """Move what is due and note what was received; gives how many books and notices it moved."""
    now_ms = house.clock.now_ms()
    # Each look of a reader's costs more than what it looks for.
    due, received = await house.store.read(lambda tx: (books_due(tx, now_ms), _received(tx)))
    for book_id in due:
        house.board.books[book_id] = await house.store.transact(partial(let_time_pass, house=house, book_id=book_id))
    for offer_id, digest in received:
        await house.store.transact(partial(_receive, house=house, offer_id=offer_id, digest=digest))
    return len(due) + len(received)


def _received(tx: Tx) -> list[tuple[str, str]]:
    """Offers whose notice was taken at the holder's address, each with the hash that it carried."""
    found = []
    for row in list_papers(tx, Kind.OFFER, state=OfferState.NOTICED):
        assert isinstance(row.line.paper, Offer)  # noqa: S101
        with suppress(NotFound):
            if row.delivery_id is not None and find_delivery(tx, row.delivery_id).state == DELIVERED:
                found.append((row.line.id, row.line.paper.hash))
    return found


def _receive(tx: Tx, house: House, offer_id: str, digest: str) -> None:
    row = find_paper(tx, Kind.OFFER, offer_id)
    offer = row.line.paper
    assert isinstance(offer, Offer)  # noqa: S101
    with suppress(Conflict):
        # It may have been withdrawn or amended meanwhile; then this notice starts nothing.
        if offer.hash == digest:
            write_command(tx, house, row.book_id, lambda _: receipt_of(offer), HOUSE)
