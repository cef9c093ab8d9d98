"""Books as the database keeps them: every command, and the register that follows from them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import msgspec
from sqlalchemy import Select, bindparam, insert, select, update

from primeur.broker import commands
from primeur.broker.arrangements import Arrangements
from primeur.broker.book import Book, at
from primeur.broker.commands import Command
from primeur.broker.dealings import tell
from primeur.broker.register import KINDS, Kind, Line
from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import capacity_books, capacity_commands, capacity_papers

# The book of what no right covers; no right can have its name.
OPEN_BOOK, OPEN_NAME = "open", "(no right)"
# Asked several times a second, as long as the service runs: making the statement would cost more than answering it.
_DUE = select(capacity_papers.c.book_id).where(capacity_papers.c.due_ms <= bindparam("now_ms")).distinct()
_KINDS: dict[str, type[Command]] = {kind.__name__: kind for kind in get_args(commands.Command)}


@dataclass(frozen=True, slots=True)
class Kept:
    """A book as it follows from the commands up to *sequence*."""

    id: str
    name: str
    arrangements: Arrangements
    sequence: int
    book: Book


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A line of the register with when it was made and changed last."""

    book_id: str
    line: Line
    created_ms: int
    changed_ms: int
    delivery_id: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A command as it was told."""

    sequence: int
    key: str
    at_ms: int
    kind: str
    actor: str
    command: Command


def add_book(tx: Tx, book_id: str, name: str, arrangements: Arrangements, now_ms: int) -> None:
    """Keep a new, empty book.

    Raises:
        Conflict: the name is taken.
    """
    if tx.execute(select(capacity_books.c.id).where(capacity_books.c.name == name)).first() is not None:
        raise Conflict(f"there is a right {name!r}; amend it, or choose another name", param="name")
    values = {"id": book_id, "name": name, "arrangements": _text(arrangements), "now_ms": 0, "created_ms": now_ms}
    tx.execute(insert(capacity_books).values(values))


def arrange(tx: Tx, book_id: str, arrangements: Arrangements) -> None:
    """Replace what is arranged with a holder."""
    c = capacity_books.c
    tx.execute(update(capacity_books).where(c.id == book_id).values(arrangements=_text(arrangements)))


def find_book(tx: Tx, name: str) -> str:
    """Give the id of the book of this id or name.

    Raises:
        NotFound: there is none.
    """
    c = capacity_books.c
    row = tx.execute(select(c.id).where((c.id == name) | (c.name == name))).first()
    if row is None:
        raise NotFound(f"there is no right {name!r}; `primeur rights list` shows those there are")
    return str(row.id)


def list_books(tx: Tx) -> list[tuple[str, str]]:
    """Give every book's id and name, oldest first."""
    c = capacity_books.c
    return [(row.id, row.name) for row in tx.execute(select(c.id, c.name).order_by(c.created_ms, c.id))]


def load_book(tx: Tx, book_id: str, known: Kept | None = None, *, to_write: bool = False) -> Kept:
    """Give a book as it stands, replaying only what was told after *known*.

    Args:
        to_write: hold the book until the transaction ends, so that nobody else tells it anything meanwhile.

    Raises:
        NotFound: there is none.
    """
    query = select(capacity_books).where(capacity_books.c.id == book_id)
    row = tx.execute(query.with_for_update() if to_write else query).first()
    if row is None:
        raise NotFound(f"there is no book {book_id!r}")
    book, sequence = (known.book, known.sequence) if known is not None else (Book(), 0)
    for one in list_told(tx, book_id, sequence):
        book, sequence = tell(book, one.command, one.at_ms), one.sequence
    arrangements = msgspec.json.decode(row.arrangements, type=Arrangements)
    # What the clock has moved stays moved, wherever the clock stands now.
    return Kept(book_id, row.name, arrangements, sequence, at(book, row.now_ms))


def list_told(tx: Tx, book_id: str, after: int = 0) -> list[Told]:
    """Give a book's commands in their order, from *after* a sequence number on."""
    c = capacity_commands.c
    query = select(capacity_commands).where(c.book_id == book_id, c.sequence > after).order_by(c.sequence)
    return [
        Told(
            row.sequence, row.key, row.at_ms, row.kind, row.actor, msgspec.json.decode(row.body, type=_KINDS[row.kind])
        )
        for row in tx.execute(query)
    ]


def add_command(tx: Tx, kept: Kept, command: Command, actor: str) -> Kept:
    """Keep a command that *kept*'s book has been told already; gives the book with its new place."""
    kind = type(command).__name__
    values = {"book_id": kept.id, "key": command.key, "at_ms": kept.book.now_ms, "kind": kind, "actor": actor}
    made = tx.execute(insert(capacity_commands).values(values | {"body": _text(command)})).inserted_primary_key
    assert made is not None  # noqa: S101
    return replace(kept, sequence=int(made[0]))


def keep_lines(tx: Tx, kept: Kept, lines: Iterable[Line], now_ms: int) -> None:
    """Bring the register up to date: *lines* are those that changed; and remember the book's moment."""
    c = capacity_papers.c
    for line in lines:
        values: dict[str, Any] = {
            "kind": line.kind, "request_id": line.request, "state": line.state, "due_ms": line.due_ms,
            "body": _text(line.paper), "changed_ms": now_ms,
        }  # fmt: skip
        here = (c.id == line.id) & (c.book_id == kept.id)
        if tx.execute(update(capacity_papers).where(here).values(values)).rowcount == 0:
            added = {"id": line.id, "book_id": kept.id, "created_ms": now_ms}
            tx.execute(insert(capacity_papers).values(values | added))
    moment = {"now_ms": kept.book.now_ms}
    tx.execute(update(capacity_books).where(capacity_books.c.id == kept.id).values(moment))


def note_delivery(tx: Tx, offer_id: str, delivery_id: str) -> None:
    """Remember which delivery carries an offer's notice."""
    tx.execute(update(capacity_papers).where(capacity_papers.c.id == offer_id).values(delivery_id=delivery_id))


def books_due(tx: Tx, now_ms: int) -> list[str]:
    """Give the books in which the clock moves something by now."""
    return sorted(tx.execute(_DUE, {"now_ms": now_ms}).scalars())


def find_paper(tx: Tx, kind: Kind, paper_id: str) -> PaperRow:
    """Give one paper.

    Raises:
        NotFound: there is none of this kind.
    """
    c = capacity_papers.c
    row = tx.execute(_papers().where(c.id == paper_id, c.kind == kind)).first()
    if row is None:
        raise NotFound(f"there is no {kind} {paper_id!r}; GET /api/v1/capacity/{kind}s lists those there are")
    return _paper(row)


def list_papers(
    tx: Tx, kind: Kind, *, state: str | None = None, request: str | None = None, most: int = 500
) -> list[PaperRow]:
    """Give papers of one kind, newest first."""
    c = capacity_papers.c
    query = _papers().where(c.kind == kind).order_by(c.created_ms.desc(), c.id.desc()).limit(most)
    for column, wanted in ((c.state, state), (c.request_id, request)):
        if wanted is not None:
            query = query.where(column == wanted)
    return [_paper(row) for row in tx.execute(query)]


def _papers() -> Select[Any]:
    return select(capacity_papers)


def _paper(row: Any) -> PaperRow:
    kind = Kind(row.kind)
    paper = msgspec.json.decode(row.body, type=KINDS[kind])
    line = Line(row.id, kind, row.request_id, row.state, row.due_ms, paper)
    return PaperRow(row.book_id, line, row.created_ms, row.changed_ms, row.delivery_id)


def _text(value: Any) -> str:
    """Write a paper or command; sets in an order that does not change."""
    return json.dumps(msgspec.to_builtins(asdict(value), order="sorted"), separators=(",", ":"))
