"""What becomes of a right in its book: granted, amended, moved."""

from dataclasses import replace

from primeur.broker.book import Book, with_state
from primeur.broker.rights import Right, RightState, amend
from primeur.core.errors import BadRequest, Conflict, NotFound

_AMENDABLE = frozenset({RightState.DRAFT, RightState.ACTIVE, RightState.SUSPENDED})


def grant(book: Book, right: Right) -> Book:
    """Put a right's first version into its book.

    Raises:
        Conflict: the book has a right.
        BadRequest: it is no draft of version 1.
    """
    if book.versions:
        raise Conflict(f"right {right.id} exists; amend it with its next version")
    if right.version != 1 or right.state != RightState.DRAFT:
        raise BadRequest("a right begins as a draft with version 1")
    return replace(book, versions=(right,))


def amend_right(book: Book, right: Right) -> Book:
    """Put a right's next version into its book; it supersedes the one before from its date on.

    Raises:
        NotFound: there is no right.
        Conflict: the right has ended, or this version cannot follow the one before.
    """
    old = book.right
    if old is None:
        raise NotFound("there is no right to amend; grant one first")
    if old.state not in _AMENDABLE:
        raise Conflict(f"right {old.id} is {old.state} and cannot be amended; grant another one")
    return replace(book, versions=(*book.versions, replace(amend(old, right), state=old.state)))


def move_right(book: Book, move: str) -> Book:
    """Move a right by its table.

    Raises:
        NotFound: there is no right.
        BadRequest: only the clock lets a right expire.
        Conflict: the table has no such move.
    """
    if book.right is None:
        raise NotFound("there is no right to move; grant one first")
    if move == "expire":
        raise BadRequest(f"right {book.right.id} expires by its date; amend its expires_ms, or terminate it")
    return with_state(book, move)
