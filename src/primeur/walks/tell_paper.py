"""Tell the book of a paper something about it; the same idempotency key names the same paper."""

from collections.abc import Callable
from hashlib import blake2b

from primeur.broker.book import Book
from primeur.broker.book_rows import Kept, find_paper
from primeur.broker.commands import Command
from primeur.broker.register import Kind
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.ids import make_id, type_prefixes
from primeur.store.database import Tx
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.keep_book import write_command


async def tell_paper(house: House, caller: Caller, kind: Kind, paper: str, say: Callable[[Book], Command]) -> Kept:
    """Tell the book that a paper is in what *say* makes of it; gives the book that follows.

    Raises:
        NotFound: there is no such paper.
        Conflict, BadRequest: the book refuses it; nothing is changed.
    """

    def work(tx: Tx) -> Kept:
        return write_command(tx, house, find_paper(tx, kind, paper).book_id, say, actor_of(caller))

    return await transact_book(house, work)


async def transact_book(house: House, work: Callable[[Tx], Kept]) -> Kept:
    """Do work in a transaction, and keep the book in mind that it gives."""
    kept = await house.store.transact(work)
    house.board.books[kept.id] = kept
    return kept


def fresh_key(house: House) -> str:
    """Make a key for a command that came without one."""
    return make_id("command", house.clock.now_ms(), house.entropy)


def name_paper(house: House, kind: str, key: str | None) -> tuple[str, str]:
    """Give the key, and the id that follows from it: the same key names the same paper.

    Raises:
        BadRequest: the key is empty or too long.
    """
    if key is not None and not 1 <= len(key) <= 100:
        raise BadRequest("an idempotency key has 1 to 100 characters", param="key")
    key = key or fresh_key(house)
    digest = blake2b(f"{kind} {key}".encode(), digest_size=13).hexdigest()
    return key, f"{type_prefixes[kind]}_{digest}"
