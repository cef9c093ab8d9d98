"""Invoices and credit notes, as the database keeps them: final when they are written, numbered without gaps."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update

from primeur.billing.rules.charging import CREDIT, Line
from primeur.billing.rules.invoicing import CREDITED, FINAL, INVOICE, number_text
from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import invoices, number_series
from primeur.store.upsert import insert_or


@dataclass(frozen=True, slots=True)
class Party:
    """Whoever stands on a paper, as they were when it was written."""

    name: str
    address: str
    tax_id: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice or a credit note.

    Attributes:
        period: the month, such as ``2026-11``.
        nanos: the exact total; *cents* and *remainder_nanos* are what it was rounded to and what that left.
        corrects: the invoice that a credit note takes back.
        ended_ms: when it was paid or taken back.
    """

    id: str
    number: str
    kind: str
    state: str
    issuer: str
    customer_id: str
    period: str
    currency: str
    nanos: int
    cents: int
    remainder_nanos: int
    lines: tuple[Line, ...]
    seller: Party
    buyer: Party
    due_ms: int
    created_ms: int
    corrects: str | None = None
    ended_ms: int | None = None


def next_number(tx: Tx, kind: str, issuer: str, year: int) -> str:
    """Take the next number of a series; given back with the transaction if that fails."""
    return number_text(kind, issuer, year, count_on(tx, kind, issuer, year))


def count_on(tx: Tx, kind: str, issuer: str, year: int) -> int:
    """Count a series one on and give where it is now; counted back with the transaction if that fails."""
    first = insert_or(tx.dialect.name, number_series).values(issuer=issuer, kind=kind, year=year, last=1)
    taken = first.on_conflict_do_update(
        index_elements=["issuer", "kind", "year"], set_={"last": number_series.c.last + 1}
    )
    return int(tx.execute(taken.returning(number_series.c.last)).scalar_one())


def add_invoice(tx: Tx, invoice: Invoice) -> None:
    """Keep a final paper."""
    plain = {name: getattr(invoice, name) for name in Invoice.__slots__ if name not in {"lines", "seller", "buyer"}}
    rich = {name: msgspec.json.encode(getattr(invoice, name)).decode() for name in ("lines", "seller", "buyer")}
    tx.execute(insert(invoices).values(**plain, **rich))


def move_invoice(tx: Tx, before: Invoice, state: str, now_ms: int) -> Invoice:
    """Move a paper on, if it is still in the state it was read in; nothing else of it ever changes.

    Raises:
        Conflict: somebody else has moved it meanwhile.
    """
    c = invoices.c
    change = update(invoices).where(c.id == before.id, c.state == before.state)
    if tx.execute(change.values(state=state, ended_ms=now_ms)).rowcount != 1:
        raise Conflict(f"{before.number} has been changed meanwhile; look again")
    return find_invoice(tx, before.id)


def list_invoices(tx: Tx, customer_id: str | None = None, period: str | None = None) -> list[Invoice]:
    """Give papers, newest first."""
    query = select(invoices).order_by(invoices.c.created_ms.desc(), invoices.c.id.desc())
    if customer_id is not None:
        query = query.where(invoices.c.customer_id == customer_id)
    if period is not None:
        query = query.where(invoices.c.period == period)
    return [_invoice(row) for row in tx.execute(query)]


def find_invoice(tx: Tx, number_or_id: str) -> Invoice:
    """Give one paper by its number or id.

    Raises:
        NotFound: there is none.
    """
    c = invoices.c
    row = tx.execute(select(invoices).where((c.id == number_or_id) | (c.number == number_or_id))).first()
    if row is None:
        raise NotFound(f"there is no invoice {number_or_id!r}; `primeur invoices list` shows those there are")
    return _invoice(row)


def charged_by_month(tx: Tx, customer_id: str) -> dict[str, int]:
    """Give what all papers together charge a customer for each month, before credits, in nanos."""
    sums: dict[str, int] = {}
    for paper in list_invoices(tx, customer_id):
        for line in paper.lines:
            if line.kind != CREDIT and line.nanos is not None:
                sums[line.month] = sums.get(line.month, 0) + line.nanos
    return sums


def find_standing(tx: Tx, customer_id: str, period: str) -> Invoice | None:
    """Give the paper that stands for a customer's month, if there is one."""
    found = list_invoices(tx, customer_id, period)
    return next((one for one in found if one.corrects is None and one.state != CREDITED), None)


def last_period(tx: Tx, customer_id: str | None = None) -> str | None:
    """Give the last month with a standing final invoice; None when there is none."""
    c = invoices.c
    query = select(c.period).where(c.corrects.is_(None), c.state != CREDITED).order_by(c.period.desc()).limit(1)
    if customer_id is not None:
        query = query.where(c.customer_id == customer_id)
    return tx.execute(query).scalar()


def overdue(tx: Tx, now_ms: int) -> list[Invoice]:
    """Give final invoices whose time to be paid is over."""
    c = invoices.c
    query = select(invoices).where(c.kind == INVOICE, c.state == FINAL, c.due_ms < now_ms, c.cents > 0)
    return [_invoice(row) for row in tx.execute(query.order_by(c.due_ms, c.id))]


def _invoice(row: Row[Any]) -> Invoice:
    values = dict(row._mapping)  # noqa: SLF001
    values["lines"] = msgspec.json.decode(row.lines, type=tuple[Line, ...])
    values["seller"] = msgspec.json.decode(row.seller, type=Party)
    values["buyer"] = msgspec.json.decode(row.buyer, type=Party)
    return Invoice(**values)
