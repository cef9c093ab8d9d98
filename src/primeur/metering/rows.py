"""Usage events become rows, each once; prices by the moment they hold from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from primeur.core.price import Price
from primeur.core.usage import Usage, UsageEvent
from primeur.metering.sum_rows import keep_sums
from primeur.store.bulk import insert_rows
from primeur.store.database import Tx
from primeur.store.schema import journal_cursors, prices, requests
from primeur.store.upsert import insert_or

_PAGE = 1000


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
    keep_sums(tx, events)
    if cursor is not None:
        keep_cursor(tx, cursor)
    return events


def keep_cursor(tx: Tx, cursor: Cursor) -> None:
    """Remember how far a journal has been read."""
    tx.execute(_keeping(tx.dialect.name), {name: getattr(cursor, name) for name in Cursor.__slots__})


@lru_cache
def _keeping(dialect: str) -> Any:
    """Make the statement once: it is asked for every batch."""
    statement = insert_or(dialect, journal_cursors)
    place = {name: statement.excluded[name] for name in ("segment", "offset")}
    return statement.on_conflict_do_update(index_elements=["journal"], set_=place)


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


_USAGE = frozenset(Usage.__struct_fields__)
_ALL = tuple(column.name for column in requests.columns)
# What most requests leave empty is not written for them: the database knows it.
_RARE = ("error_code", "error_message", "prompt", "answer", "refusal", "right_id", "evidence", "images")
# What says the same in most rows comes first, see `insert_rows`.
_COMMON = (
    "counted_by", "outcome", "status", "currency", "route", "streamed", "reasoning_tokens", "cached_tokens", "price_id",
    "deployment", "project_id", "key_id", "address", "provider", "revision_id",
)  # fmt: skip
_PLAIN = (*_COMMON, *(name for name in _ALL if name not in {*_RARE, *_COMMON}))


def _reader(names: tuple[str, ...]) -> Callable[[UsageEvent], tuple[Any, ...]]:
    return attrgetter(*(f"usage.{name}" if name in _USAGE else name for name in names))


_row, _plain_row, _rare = _reader(_ALL), _reader(_PLAIN), _reader(_RARE)
_NOTHING = (*(None for _ in _RARE[:-1]), 0)


def _insert(tx: Tx, events: Sequence[UsageEvent]) -> None:
    plain: list[Any] = []
    full: list[Any] = []
    for event in events:
        if _rare(event) == _NOTHING:
            plain += _plain_row(event)
        else:
            full += _row(event)
    insert_rows(tx, "requests", _PLAIN, plain)
    insert_rows(tx, "requests", _ALL, full)


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
