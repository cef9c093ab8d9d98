"""Usage events become rows, each once; prices by the moment they hold from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from primeur.core.chat import Price
from primeur.core.usage import Usage, UsageEvent
from primeur.store.database import Tx, copy_rows
from primeur.store.schema import journal_cursors, prices, requests

# SQLite takes at most 32,766 values in one statement, PostgreSQL 65,535.
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a journal has been read into rows."""

    journal: str
    segment: int
    offset: int


def keep_usage(tx: Tx, events: Sequence[UsageEvent], cursor: Cursor | None = None) -> Sequence[UsageEvent]:
    """Keep usage events and how far the journal was read, together; gives those that were new.

    An event whose id is known already is left as it is, so reading a journal twice counts nothing twice.
    """
    try:
        # As a rule all of them are new, and looking for each would cost as much as keeping it.
        with tx.begin_nested():
            _insert(tx, events)
    except IntegrityError:
        events = list(_unknown(tx, events))
        _insert(tx, events)
    if cursor is not None:
        keep_cursor(tx, cursor)
    return events


def keep_cursor(tx: Tx, cursor: Cursor) -> None:
    """Remember how far a journal has been read."""
    place = {"segment": cursor.segment, "offset": cursor.offset}
    flavour = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    statement = flavour(journal_cursors).values(journal=cursor.journal, **place)
    tx.execute(statement.on_conflict_do_update(index_elements=["journal"], set_=place))


def find_cursor(tx: Tx, journal: str) -> Cursor:
    """Give how far *journal* has been read; its beginning when it never was."""
    row = tx.execute(select(journal_cursors).where(journal_cursors.c.journal == journal)).first()
    return Cursor(journal, 0, 0) if row is None else Cursor(journal, row.segment, row.offset)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A deployment's price from a moment on.

    Attributes:
        from_ms: UTC milliseconds.
    """

    deployment: str
    price: Price
    from_ms: int
    created_ms: int


def add_price(tx: Tx, row: PriceRow) -> None:
    """Keep a new price; earlier ones stay, for what they were charged for."""
    tx.execute(
        insert(prices).values(
            **{name: getattr(row.price, name) for name in Price.__slots__},
            deployment=row.deployment,
            from_ms=row.from_ms,
            created_ms=row.created_ms,
        )
    )


def list_prices(tx: Tx, deployment: str | None = None) -> list[PriceRow]:
    """Give every price, by deployment, the newest first."""
    query = select(prices).order_by(prices.c.deployment, prices.c.from_ms.desc(), prices.c.id.desc())
    if deployment is not None:
        query = query.where(prices.c.deployment == deployment)
    return [_price(row) for row in tx.execute(query)]


def prices_in_force(tx: Tx, now_ms: int) -> dict[str, Price]:
    """Give each deployment's price at a moment, by the deployment's name."""
    found: dict[str, Price] = {}
    for row in list_prices(tx):
        if row.from_ms <= now_ms:
            found.setdefault(row.deployment, row.price)
    return found


_NAMES = [column.name for column in requests.columns]
_COLUMNS = ", ".join(_NAMES)
_row = attrgetter(*(f"usage.{name}" if name in Usage.__struct_fields__ else name for name in _NAMES))


def _insert(tx: Tx, events: Sequence[UsageEvent]) -> None:
    """Insert new rows in the driver's own words; through SQLAlchemy's parameters a row takes four times as long.

    By COPY on PostgreSQL; a page a statement on SQLite, whose driver lets the interpreter's lock go for each step,
    and taking it again disturbs whoever answers requests.
    """
    if tx.dialect.name == "postgresql":
        copy_rows(tx, "requests", _COLUMNS, map(_row, events))
        return
    mark = f"({', '.join(['?'] * len(_NAMES))})"
    for start in range(0, len(events), _PAGE):
        page = events[start : start + _PAGE]
        marks = ", ".join([mark] * len(page))
        statement = f"INSERT INTO requests ({_COLUMNS}) VALUES {marks}"  # noqa: S608 (names of ours)
        tx.exec_driver_sql(statement, tuple(value for event in page for value in _row(event)))


def _unknown(tx: Tx, events: Sequence[UsageEvent]) -> Iterator[UsageEvent]:
    seen: set[str] = set()
    for start in range(0, len(events), _PAGE):
        page = events[start : start + _PAGE]
        query = select(requests.c.id).where(requests.c.id.in_([event.id for event in page]))
        seen.update(tx.execute(query).scalars())
        for event in page:
            if event.id not in seen:
                seen.add(event.id)
                yield event


def _price(row: Any) -> PriceRow:
    price = Price(**{name: getattr(row, name) for name in Price.__slots__})
    return PriceRow(row.deployment, price, row.from_ms, row.created_ms)
