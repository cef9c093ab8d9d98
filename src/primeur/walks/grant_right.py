"""Grant, amend and move a right of first refusal; each is a command to the right's own book."""

from dataclasses import asdict, replace
from typing import Any

import msgspec

from primeur.broker.arrangements import Arrangements
from primeur.broker.book import Book
from primeur.broker.book_rows import Kept, add_book, arrange, find_book, list_books, load_book
from primeur.broker.commands import AmendRight, Command, GrantRight, MoveRight
from primeur.broker.rights import DAY_MS, HOUR_MS, RIGHT, HardTerms, Mode, Right, RightState, Scope
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict
from primeur.core.events import RightArranged
from primeur.core.ids import make_id
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.keep_book import write_command
from primeur.walks.send_webhook import check_webhook_url

_ENDED = frozenset({RightState.EXPIRED, RightState.RELEASED, RightState.TERMINATED})


class NewRight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a right is; see `primeur.broker.rights.Right`.

    Attributes:
        holder: the provider that is asked first.
        effective_ms: UTC milliseconds; now when not given.
        expires_ms: UTC milliseconds; when not given, *lasts_ms* after it takes effect.
        activate: binding at once; else a draft.
        key: idempotency key; the same twice is one right.
    """

    name: str
    holder: str
    grantor: str = "us"
    effective_ms: int | None = None
    expires_ms: int | None = None
    lasts_ms: int = 365 * DAY_MS
    mode: Mode = Mode.FIRST_OFFER
    scope: Scope = Scope()
    hard: HardTerms = HardTerms()
    response_ms: int = 72 * HOUR_MS
    reoffer_ms: int = 24 * HOUR_MS
    sale_window_ms: int = 90 * DAY_MS
    partial_block: int | None = 1
    tolerance_percent: int = 0
    one_time: bool = False
    transferable: bool = False
    arrangements: Arrangements = Arrangements()
    activate: bool = True
    key: str | None = None


class Amendment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes: fields of `primeur.broker.rights.Right`, from *effective_ms* (now) on."""

    changes: dict[str, Any]
    key: str | None = None


async def grant_right(house: House, caller: Caller, ask: NewRight) -> Kept:
    """Grant a right; raises as `write_right`."""
    return await _transact(house, lambda tx: write_right(tx, house, caller, ask))


def write_right(tx: Tx, house: House, caller: Caller, ask: NewRight) -> Kept:
    """Grant a right in a transaction that is open.

    Raises:
        BadRequest: terms that cannot be, or a webhook that cannot be reached.
        Conflict: the name is taken, or another right covers some of it already.
    """
    check_name(ask.name, "right")
    if ask.arrangements.webhook is not None:
        check_webhook_url(house, ask.arrangements.webhook)
    now_ms = house.clock.now_ms()
    right_id = make_id("right", now_ms, house.entropy)
    known = {name: book_id for book_id, name in list_books(tx)}
    if ask.name in known and ask.key is not None:
        return _granted(tx, house, known[ask.name], ask)
    add_book(tx, right_id, ask.name, ask.arrangements, now_ms)
    right = _write(ask, right_id, now_ms)
    _check_alone(tx, house, right)
    actor = actor_of(caller)
    kept = write_command(tx, house, right_id, lambda _: GrantRight(ask.key or "grant", right), actor)
    if ask.activate:
        kept = write_command(tx, house, right_id, lambda _: MoveRight("activate", "activate"), actor)
    return kept


async def amend_right(house: House, caller: Caller, name: str, ask: Amendment) -> Kept:
    """Write a right's next version; raises as `write_amendment`."""
    return await _transact(house, lambda tx: write_amendment(tx, house, caller, name, ask))


def write_amendment(tx: Tx, house: House, caller: Caller, name: str, ask: Amendment) -> Kept:
    """Write a right's next version in a transaction that is open.

    Raises:
        NotFound: there is no such right.
        BadRequest: an unknown field, or terms that cannot be.
        Conflict: the right has ended, is not transferable, or another right covers some of it already.
    """
    now_ms = house.clock.now_ms()
    book_id = find_book(tx, name)
    key = ask.key or make_id("command", now_ms, house.entropy)

    def say(book: Book) -> Command:
        told = book.told.get(key)
        base = told.right.version - 1 if isinstance(told, AmendRight) else None
        old = next((one for one in book.versions if one.version == base), book.right)
        return AmendRight(key, _amended(old, ask.changes, told.right.effective_ms if base and told else now_ms))  # type: ignore[union-attr]

    kept = write_command(tx, house, book_id, say, actor_of(caller))
    assert kept.book.right is not None  # noqa: S101
    _check_alone(tx, house, kept.book.right)
    return kept


async def move_right(house: House, caller: Caller, name: str, move: str) -> Kept:
    """Activate, suspend, resume, release or terminate a right.

    Raises:
        NotFound: there is no such right.
        BadRequest: no such move.
        Conflict: not from the state it is in.
    """
    moves = sorted({one for _, one in RIGHT.moves} - {"expire"})
    if move not in moves:
        raise BadRequest(f"a right cannot {move!r}; choose {', '.join(moves)}", param="move")

    def work(tx: Tx) -> Kept:
        key = make_id("command", house.clock.now_ms(), house.entropy)
        kept = write_command(tx, house, find_book(tx, name), lambda _: MoveRight(key, move), actor_of(caller))
        assert kept.book.right is not None  # noqa: S101
        _check_alone(tx, house, kept.book.right)
        return kept

    return await _transact(house, work)


async def arrange_right(house: House, caller: Caller, name: str, arrangements: Arrangements) -> Kept:
    """Replace how a holder is told of offers and what is answered in its name; raises as `write_arrangements`."""
    return await _transact(house, lambda tx: write_arrangements(tx, house, caller, name, arrangements))


def write_arrangements(tx: Tx, house: House, caller: Caller, name: str, arrangements: Arrangements) -> Kept:
    """Replace them in a transaction that is open.

    Raises:
        NotFound: there is no such right.
        BadRequest: the webhook cannot be reached.
    """
    if arrangements.webhook is not None:
        check_webhook_url(house, arrangements.webhook)
    book_id = find_book(tx, name)
    arrange(tx, book_id, arrangements)
    tell(tx, RightArranged(book_id), actor=actor_of(caller), at_ms=house.clock.now_ms())
    return load_book(tx, book_id, house.board.books.get(book_id))


async def _transact(house: House, work: Any) -> Kept:
    kept: Kept = await house.store.transact(work)
    house.board.books[kept.id] = kept
    return kept


def _granted(tx: Tx, house: House, book_id: str, ask: NewRight) -> Kept:
    """The same grant again: give what it made, or say that it was another."""
    kept = load_book(tx, book_id, house.board.books.get(book_id))
    told = kept.book.told.get(ask.key or "")
    same = isinstance(told, GrantRight) and told.right == _write(ask, book_id, told.right.effective_ms, told.right)
    if not same:
        raise Conflict(f"there is a right {ask.name!r}; amend it, or choose another name", param="name")
    return kept


def _write(ask: NewRight, right_id: str, now_ms: int, before: Right | None = None) -> Right:
    own = {name: getattr(ask, name) for name in Right.__dataclass_fields__ if name in NewRight.__struct_fields__}
    effective_ms = now_ms if ask.effective_ms is None else ask.effective_ms
    expires_ms = before.expires_ms if before is not None else effective_ms + ask.lasts_ms
    moments = {
        "effective_ms": effective_ms, "expires_ms": expires_ms if ask.expires_ms is None else ask.expires_ms,
    }  # fmt: skip
    return Right(**own | moments, id=right_id, version=1, state=RightState.DRAFT)


def _amended(old: Right | None, changes: dict[str, Any], now_ms: int) -> Right:
    assert old is not None  # noqa: S101
    fields = set(Right.__dataclass_fields__) - {"id", "version", "state"}
    unknown = sorted(set(changes) - fields)
    if unknown:
        raise BadRequest(f"a right has no {unknown[0]!r} to amend; it has {', '.join(sorted(fields))}", param="changes")
    whole = msgspec.to_builtins(asdict(old)) | {"effective_ms": now_ms} | changes
    try:
        return msgspec.convert(whole | {"version": old.version + 1}, Right)
    except msgspec.ValidationError as error:
        raise BadRequest(f"the amendment cannot be: {error}", param="changes") from None


def _check_alone(tx: Tx, house: House, right: Right) -> None:
    """Two holders cannot both be first."""
    for book_id, name in list_books(tx):
        other = load_book(tx, book_id, house.board.books.get(book_id)).book.right
        if other is None or other.id == right.id or {other.state, right.state} & _ENDED:
            continue
        apart = other.expires_ms <= right.effective_ms or right.expires_ms <= other.effective_ms
        if not apart and other.scope.overlaps(right.scope):
            raise Conflict(f"the right {name!r} of {other.holder} covers some of this; carve it out of one of them")


def right_of(kept: Kept) -> Right:
    """Give the newest version of a kept right."""
    assert kept.book.right is not None  # noqa: S101
    return replace(kept.book.right)
