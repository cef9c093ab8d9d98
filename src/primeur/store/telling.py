"""The end of a transaction: what was told in it is chained to the event log.

Events are kept aside while a transaction runs and written just before it commits. The place at the end of the chain is
taken there (PostgreSQL: a lock for the rest of the transaction; SQLite has one writer anyway), so it is held for a
moment, is the last lock that a transaction takes, and no two can take it in different orders.
"""

from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, text

from primeur.core.chain import GENESIS, Entry, hash_entry
from primeur.core.events import AnyEvent
from primeur.store.origin import ORIGIN
from primeur.store.schema import events

_TOLD = "primeur_told"
# Any number that nothing else locks.
_LOCK = 0x5052494D45555231


def begin_telling(tx: Connection) -> None:
    """Start with nothing told."""
    tx.info[_TOLD] = []


def told(tx: Connection) -> list[dict[str, Any]]:
    """What was told so far in this transaction; whoever rolls a part of it back cuts the list again.

    Raises:
        KeyError: the transaction was not opened by `primeur.store.database.Store`.
    """
    found: list[dict[str, Any]] = tx.info[_TOLD]
    return found


def tell(  # noqa: PLR0913 (who, what, when, before and after)
    tx: Connection, what: AnyEvent, *, actor: str, at_ms: int, before: object = None, after: object = None
) -> None:
    """Append an event in the same transaction as the change it tells of.

    Where it was asked for comes from `primeur.store.origin.ORIGIN`.

    Args:
        before, after: the thing as it was and as it is, as anything that msgspec writes as JSON; no secrets. Of a row,
            bytes (digests) are left out.
    """
    origin = ORIGIN.get()
    told(tx).append(
        {
            "at_ms": at_ms,
            "kind": type(what).__name__,
            "actor": actor,
            "organisation_id": origin.organisation_id,
            "address": origin.address,
            "request_id": origin.request_id,
            "before": _written(before),
            "after": _written(after),
            "data": msgspec.json.encode(what).decode(),
        }
    )


def _written(thing: object) -> str | None:
    if thing is None:
        return None
    if is_dataclass(thing):
        values = {one.name: getattr(thing, one.name) for one in fields(thing)}
        thing = {name: value for name, value in values.items() if not isinstance(value, bytes)}
    return msgspec.json.encode(thing, order="sorted").decode()


def write_told(tx: Connection) -> None:
    """Chain what was told, in order."""
    waiting: list[dict[str, Any]] = tx.info.pop(_TOLD, [])
    if not waiting:
        return
    if tx.dialect.name == "postgresql":
        tx.execute(text("select pg_advisory_xact_lock(:place)"), {"place": _LOCK})
    newest = select(events.c.sequence, events.c.hash).order_by(events.c.sequence.desc()).limit(1)
    row = tx.execute(newest).first()
    sequence, previous = (0, GENESIS) if row is None else (row.sequence, row.hash)
    rows = []
    for values in waiting:
        sequence += 1
        chained = Entry(sequence=sequence, previous=previous, hash="", **values)
        previous = hash_entry(chained)
        rows.append({**values, "sequence": sequence, "previous": chained.previous, "hash": previous})
    tx.execute(insert(events), rows)
