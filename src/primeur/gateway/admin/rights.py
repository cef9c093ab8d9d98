"""Rights of first refusal: granted, amended, moved, arranged, and their history."""

from typing import Any

import msgspec

from primeur.broker.arrangements import Arrangements
from primeur.broker.book_rows import Kept, find_book, list_books, list_told, load_book
from primeur.broker.rights import Right
from primeur.gateway.admin.page import Page, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.store.database import Tx
from primeur.walks.grant_right import Amendment, NewRight, amend_right, arrange_right, grant_right, move_right


class RightView(msgspec.Struct, frozen=True, kw_only=True):
    """A right as it stands.

    Attributes:
        terms: of its newest version; see `primeur.broker.rights.Right`.
        versions: all of them, oldest first.
    """

    id: str
    name: str
    holder: str
    state: str
    version: int
    effective_ms: int
    expires_ms: int
    terms: Right
    versions: list[Right]
    arrangements: Arrangements


class HappenedView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was told to a right's book.

    Attributes:
        what: the command, such as ``OpenRequest`` or ``AnswerOffer``.
        about: its fields, without terms of bids.
    """

    sequence: int
    at_ms: int
    what: str
    actor: str
    about: dict[str, Any]


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``activate``, ``suspend``, ``resume``, ``release`` or ``terminate``."""

    move: str


def show_right(kept: Kept) -> RightView:
    """Write a right for the API."""
    right = kept.book.right
    assert right is not None  # noqa: S101
    return RightView(
        id=right.id,
        name=kept.name,
        holder=right.holder,
        state=right.state,
        version=right.version,
        effective_ms=right.effective_ms,
        expires_ms=right.expires_ms,
        terms=right,
        versions=list(kept.book.versions),
        arrangements=kept.arrangements,
    )


async def list_rights(visit: Visit) -> Answer:
    """``GET /api/v1/rights``: oldest first."""
    known = visit.house.board.books

    def read(tx: Tx) -> list[Kept]:
        return [load_book(tx, book_id, known.get(book_id)) for book_id, _ in list_books(tx)]

    found = await visit.house.store.read(read)
    return json_answer(Page([show_right(kept) for kept in found if kept.book.right is not None]))


async def get_right(visit: Visit) -> Answer:
    """``GET /api/v1/rights/{right}``: by id or name."""
    name, known = visit.params["right"], visit.house.board.books

    def read(tx: Tx) -> Kept:
        book_id = find_book(tx, name)
        return load_book(tx, book_id, known.get(book_id))

    return json_answer(show_right(await visit.house.store.read(read)))


async def get_history(visit: Visit) -> Answer:
    """``GET /api/v1/rights/{right}/history``: all that was said under it, oldest first."""
    name = visit.params["right"]
    told = await visit.house.store.read(lambda tx: list_told(tx, find_book(tx, name)))
    return json_answer(Page([
        HappenedView(sequence=one.sequence, at_ms=one.at_ms, what=one.kind, actor=one.actor, about=_about(one.command))
        for one in told
    ]))  # fmt: skip


def _about(command: object) -> dict[str, Any]:
    """A command's fields; whose bid an offer mirrors, and what a sealed bid says, is told nowhere."""
    said = msgspec.to_builtins(command)
    sealed = {"bid"} | ({"provider", "terms"} if "expires_ms" in said else set())
    return {name: value for name, value in said.items() if name not in sealed}


async def post_right(visit: Visit) -> Answer:
    """``POST /api/v1/rights``."""
    return await in_force(visit, show_right(await grant_right(visit.house, visit.caller, visit.read(NewRight))), 201)


async def post_amendment(visit: Visit) -> Answer:
    """``POST /api/v1/rights/{right}/amendments``."""
    made = await amend_right(visit.house, visit.caller, visit.params["right"], visit.read(Amendment))
    return await in_force(visit, show_right(made))


async def post_move(visit: Visit) -> Answer:
    """``POST /api/v1/rights/{right}/moves``."""
    moved = await move_right(visit.house, visit.caller, visit.params["right"], visit.read(Move).move)
    return await in_force(visit, show_right(moved))


async def put_arrangements(visit: Visit) -> Answer:
    """``PUT /api/v1/rights/{right}/arrangements``."""
    arranged = await arrange_right(visit.house, visit.caller, visit.params["right"], visit.read(Arrangements))
    return await in_force(visit, show_right(arranged))


_ONE = "/api/v1/rights/{right}"
DOORS = (
    Door("GET", "/api/v1/rights", list_rights, "List rights", "rights:read", face="admin", gives=Page[RightView]),
    Door("GET", _ONE, get_right, "Show a right", "rights:read", face="admin", gives=RightView),
    Door(
        "GET", f"{_ONE}/history", get_history, "Show all that was said under a right", "rights:read", face="admin",
        gives=Page[HappenedView],
    ),
    Door(
        "POST", "/api/v1/rights", post_right, "Grant a right", "rights:write", tells="RightMoved", face="admin",
        takes=NewRight, gives=RightView, status=201,
    ),
    Door(
        "POST", f"{_ONE}/amendments", post_amendment, "Amend a right", "rights:write", tells="RightMoved",
        face="admin", takes=Amendment, gives=RightView,
    ),
    Door(
        "POST", f"{_ONE}/moves", post_move, "Activate, suspend, resume, release or terminate a right", "rights:write",
        tells="RightMoved", face="admin", takes=Move, gives=RightView,
    ),
    Door(
        "PUT", f"{_ONE}/arrangements", put_arrangements, "Say how a holder is told and heard", "rights:write",
        tells="RightArranged", face="admin", takes=Arrangements, gives=RightView,
    ),
)  # fmt: skip
