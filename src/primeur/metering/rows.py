"""Usage events become rows, each once; prices by the moment they hold from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Dialect, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from primeur.core.chat import Price
from primeur.core.usage import Usage, UsageEvent
from primeur.store.database import Tx
from primeur.store.schema import journal_cursors, prices, requests

# SQLite takes at most 32,766 values in one statement, PostgreSQL 65,535.
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a journal has been read into rows."""

    journal: str
    segment: int
    offset: int


def keep_usage(tx: Tx, events: Sequence[UsageEvent], cursor: Cursor | None = None) -> int:
    """Keep usage events and how far the journal was read, together; gives how many were new.

    An event whose id is known already is left as it is, so reading a journal twice counts nothing twice.
    """
    new = 0
    for start in range(0, len(events), _PAGE):
        page = events[start : start + _PAGE]
        statement, make_row = _insert_once(tx.dialect, len(page) if len(page) == _PAGE else 1)
        rows = [make_row(event) for event in page]
        new += tx.exec_driver_sql(statement, _flat(rows) if len(page) == _PAGE else rows).rowcount
    if cursor is not None:
        keep_cursor(tx, cursor)
    return new


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


@lru_cache(maxsize=8)
def _insert_once(dialect: Dialect, count: int) -> tuple[str, Callable[[UsageEvent], tuple[Any, ...]]]:
    """Write the insert of *count* rows in the driver's own words, and give what makes a row for it.

    Through SQLAlchemy's parameters a row takes four times as long. A whole page is one statement: SQLite's driver lets
    the interpreter's lock go for each step, and taking it again disturbs whoever answers requests. Two processes may
    read the same journal after a take-over: the database decides who was first.
    """
    names = [column.name for column in requests.columns]
    values = attrgetter(*(f"usage.{name}" if name in Usage.__struct_fields__ else name for name in names))
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    row = f"({', '.join([mark] * len(names))})"
    columns = ", ".join(names)
    rows = ", ".join([row] * count)
    return f"INSERT INTO requests ({columns}) VALUES {rows} ON CONFLICT (id) DO NOTHING", values  # noqa: S608 (names of ours)


def _flat(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(value for row in rows for value in row)


def _price(row: Any) -> PriceRow:
    price = Price(**{name: getattr(row, name) for name in Price.__slots__})
    return PriceRow(row.deployment, price, row.from_ms, row.created_ms)
