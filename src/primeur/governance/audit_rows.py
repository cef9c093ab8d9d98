"""The event log as auditors read it: searched newest first, or from its beginning to the end."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.sql.elements import ColumnElement

from primeur.core.chain import Entry, Row
from primeur.store.database import Tx
from primeur.store.schema import events

_FIELDS = Entry.__struct_fields__
_COLUMNS = [events.c[name] for name in _FIELDS]


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """What to look for; None is everything.

    Attributes:
        kind: an event's name, such as ``KeyCreated``.
        actor: id of a member or key.
        text: anywhere in the event, or in what was before and after.
        since_ms, until_ms: from one moment until just before another.
        organisation_id: this organisation's affairs, and those of the house.
    """

    kind: str | None = None
    actor: str | None = None
    address: str | None = None
    request_id: str | None = None
    text: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    organisation_id: str | None = None


def search_events(tx: Tx, search: AuditSearch, before: int | None, most: int) -> list[Entry]:
    """Give entries that fit, newest first, with smaller numbers than *before*; *most* at once."""
    asked = select(*_COLUMNS).where(*_conditions(search))
    if before is not None:
        asked = asked.where(events.c.sequence < before)
    return [_entry(row) for row in tx.execute(asked.order_by(events.c.sequence.desc()).limit(most))]


def read_events(tx: Tx, search: AuditSearch, after: int, most: int) -> list[Entry]:
    """Give entries that fit, oldest first, with greater numbers than *after*; *most* at once."""
    asked = select(*_COLUMNS).where(events.c.sequence > after, *_conditions(search))
    return [_entry(row) for row in tx.execute(asked.order_by(events.c.sequence).limit(most))]


def read_chain(tx: Tx, after: int, most: int) -> list[Row]:
    """Give entries from *after* on as the driver gives them, in the order of `Entry`'s fields."""
    asked = select(*_COLUMNS).where(events.c.sequence > after).order_by(events.c.sequence).limit(most)
    found = tx.execute(asked).cursor
    return [] if found is None else list(found.fetchall())


def newest_event(tx: Tx) -> Entry | None:
    """Give the newest entry; None while nothing has happened."""
    row = tx.execute(select(*_COLUMNS).order_by(events.c.sequence.desc()).limit(1)).first()
    return None if row is None else _entry(row)


def _entry(row: object) -> Entry:
    return Entry(**dict(zip(_FIELDS, row, strict=True)))  # type: ignore[call-overload] # a row is a sequence


def _conditions(search: AuditSearch) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        events.c[name] == value
        for name in ("kind", "actor", "address", "request_id")
        if (value := getattr(search, name)) is not None
    ]
    if search.organisation_id is not None:
        found.append(events.c.organisation_id.in_([search.organisation_id, ""]))
    if search.since_ms is not None:
        found.append(events.c.at_ms >= search.since_ms)
    if search.until_ms is not None:
        found.append(events.c.at_ms < search.until_ms)
    if search.text is not None:
        columns = (events.c.data, events.c.before, events.c.after)
        found.append(
            columns[0].icontains(search.text, autoescape=True)
            | columns[1].icontains(search.text, autoescape=True)
            | columns[2].icontains(search.text, autoescape=True)
        )
    return found
