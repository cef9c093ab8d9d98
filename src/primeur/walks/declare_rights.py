"""Rights that a ``primeur.toml`` declares: ``[rights.NAME]``."""

from dataclasses import asdict
from typing import Any

import msgspec

from primeur.broker.arrangements import Arrangements
from primeur.broker.book_rows import find_book, load_book
from primeur.core.caller import Caller
from primeur.store.database import Tx
from primeur.walks.grant_right import Amendment, NewRight, right_of, write_amendment, write_arrangements, write_right
from primeur.walks.house import House
from primeur.walks.read_document import Declared


def right_wanted(_tx: Tx, entry: Declared) -> dict[str, Any]:
    """Give what is declared, sets in an order that does not change."""
    return dict(msgspec.to_builtins(entry.what, order="sorted"))


def right_there(tx: Tx, _caller: Caller, entry: Declared) -> dict[str, Any]:
    """Give the terms of a right's newest version, and what is arranged.

    Raises:
        NotFound: there is no right of this name.
    """
    kept = load_book(tx, find_book(tx, entry.name))
    there = asdict(right_of(kept)) | {"arrangements": asdict(kept.arrangements)}
    return dict(msgspec.to_builtins(there, order="sorted"))


def make_right(tx: Tx, house: House, caller: Caller, one: Declared, change: Any) -> None:
    """Grant it, or amend what differs.

    Raises:
        BadRequest: terms that cannot be, or a webhook that cannot be reached.
        Conflict: the right has ended or is not transferable, or another right covers some of it already.
    """
    if change.verb == "create":
        write_right(tx, house, caller, msgspec.convert({"name": one.name} | change.after, NewRight))
        return
    terms = {field: value for field, value in change.after.items() if field != "arrangements"}
    if terms:
        write_amendment(tx, house, caller, one.name, Amendment(changes=terms))
    if "arrangements" in change.after:
        arranged = msgspec.convert(change.after["arrangements"], Arrangements)
        write_arrangements(tx, house, caller, one.name, arranged)
