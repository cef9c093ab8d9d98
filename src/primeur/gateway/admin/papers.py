"""Papers of procurement as the API shows them: one, and lists of a kind, with what was used of commitments."""

from collections.abc import Mapping
from typing import Any

import msgspec

from primeur.broker.book_rows import Kept, PaperRow, find_paper, list_papers
from primeur.broker.papers import Commitment
from primeur.broker.register import Kind, Line, lines_of
from primeur.broker.use import Use
from primeur.broker.use_rows import read_use
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.visit import Answer, Handler, Visit, json_answer
from primeur.store.database import Tx


class UseView(msgspec.Struct, frozen=True, kw_only=True):
    """What was used of a commitment: tokens that its provider served in its term.

    Attributes:
        of_tokens, percent: null where the provider's sheet does not tell what a unit does.
    """

    tokens: int
    of_tokens: int | None
    percent: int | None


class PaperView(msgspec.Struct, frozen=True, kw_only=True):
    """A paper of procurement.

    Attributes:
        book: the right it is under; ``open`` where no right covers it.
        due_ms: when the clock moves it, UTC milliseconds; null: never.
        paper: its own fields; whose bid an offer mirrors is told nowhere.
        use: of a commitment that was looked up; null for other papers.
    """

    id: str
    kind: str
    request: str
    state: str
    due_ms: int | None
    book: str
    paper: dict[str, Any]
    use: UseView | None = None


class PaperQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which papers; all when nothing is said."""

    state: str | None = None
    request: str | None = None


def show_paper(row: PaperRow, uses: Mapping[str, Use] | None = None) -> PaperView:
    """Write a paper for the API, a commitment with what was used of it."""
    return _view(row.book_id, row.line, (uses or {}).get(row.line.id))


def shown(kept: Kept, paper_id: str, status: int = 200) -> Answer:
    """Answer with one paper of a book."""
    return json_answer(_view(kept.id, lines_of(kept.book)[paper_id]), status)


def lister(kind: Kind) -> Handler:
    """Make the handler that lists papers of one kind, newest first."""

    async def handler(visit: Visit) -> Answer:
        query = asked(visit, PaperQuery)
        now_ms = visit.house.clock.now_ms()

        def read(tx: Tx) -> list[PaperView]:
            found = list_papers(tx, kind, state=query.state, request=query.request)
            uses = read_use(tx, _commitments(found), now_ms)
            return [show_paper(row, uses) for row in found]

        return json_answer(Page(await visit.house.store.read(read)))

    handler.__name__ = f"list_{kind}s"
    return handler


def shower(kind: Kind) -> Handler:
    """Make the handler that shows one paper."""

    async def handler(visit: Visit) -> Answer:
        now_ms = visit.house.clock.now_ms()

        def read(tx: Tx) -> PaperView:
            row = find_paper(tx, kind, visit.params["id"])
            return show_paper(row, read_use(tx, _commitments([row]), now_ms))

        return json_answer(await visit.house.store.read(read))

    handler.__name__ = f"get_{kind}"
    return handler


def _commitments(rows: list[PaperRow]) -> list[Commitment]:
    return [row.line.paper for row in rows if isinstance(row.line.paper, Commitment)]


def _view(book_id: str, line: Line, use: Use | None = None) -> PaperView:
    paper = {name: value for name, value in msgspec.to_builtins(line.paper).items() if name != "bid"}
    return PaperView(
        id=line.id, kind=line.kind, request=line.request, state=line.state, due_ms=line.due_ms, book=book_id,
        paper=paper,
        use=None if use is None else UseView(tokens=use.tokens, of_tokens=use.of_tokens, percent=use.percent),
    )  # fmt: skip
