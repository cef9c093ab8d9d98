"""Statements of providers and partners, as the database keeps them: final when written, numbered without gaps."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update

from primeur.billing.invoice_rows import Party, count_on
from primeur.billing.rules.charging import CREDIT, Line
from primeur.billing.rules.stating import statement_number
from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import statements


@dataclass(frozen=True, slots=True)
class Statement:
    """What we owe a provider or a partner for a month.

    Attributes:
        kind: ``provider`` or ``partner``; *party* is its name.
        nanos: the exact total; *cents* and *remainder_nanos* are what it was rounded to and what that left.
        issued_by: who states it, as they were when it was written.
        ended_ms: when it was paid.
        booked_nanos: what requests booked and this statement takes over; of it *ahead_nanos* were taken from what was
            paid ahead.
    """

    id: str
    number: str
    kind: str
    state: str
    issuer: str
    party: str
    period: str
    currency: str
    nanos: int
    cents: int
    remainder_nanos: int
    lines: tuple[Line, ...]
    issued_by: Party
    language: str
    created_ms: int
    ended_ms: int | None = None
    booked_nanos: int = 0
    ahead_nanos: int = 0


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What statements have taken over, in nanos: of all that requests booked, and of what they took from ahead."""

    booked_nanos: int
    ahead_nanos: int


def next_statement_number(tx: Tx, kind: str, issuer: str, year: int) -> str:
    """Take the next number of a series; given back with the transaction if that fails."""
    return statement_number(kind, issuer, year, count_on(tx, kind, issuer, year))


def add_statement(tx: Tx, statement: Statement) -> None:
    """Keep a final statement."""
    plain = {name: getattr(statement, name) for name in Statement.__slots__ if name not in {"lines", "issued_by"}}
    rich = {name: msgspec.json.encode(getattr(statement, name)).decode() for name in ("lines", "issued_by")}
    tx.execute(insert(statements).values(**plain, **rich))


def move_statement(tx: Tx, before: Statement, state: str, now_ms: int) -> Statement:
    """Move a statement on, if it is still in the state it was read in.

    Raises:
        Conflict: somebody else has moved it meanwhile.
    """
    c = statements.c
    change = update(statements).where(c.id == before.id, c.state == before.state)
    if tx.execute(change.values(state=state, ended_ms=now_ms)).rowcount != 1:
        raise Conflict(f"{before.number} has been changed meanwhile; look again")
    return find_statement(tx, before.id)


def list_statements(tx: Tx, kind: str = "", party: str = "", period: str = "") -> list[Statement]:
    """Give statements, newest first."""
    query = select(statements).order_by(statements.c.created_ms.desc(), statements.c.id.desc())
    for column, wanted in (("kind", kind), ("party", party), ("period", period)):
        if wanted:
            query = query.where(statements.c[column] == wanted)
    return [_statement(row) for row in tx.execute(query)]


def find_statement(tx: Tx, number_or_id: str) -> Statement:
    """Give one statement by its number or id.

    Raises:
        NotFound: there is none.
    """
    c = statements.c
    row = tx.execute(select(statements).where((c.id == number_or_id) | (c.number == number_or_id))).first()
    if row is None:
        raise NotFound(f"there is no statement {number_or_id!r}; `primeur statements list` shows those there are")
    return _statement(row)


def last_stated(tx: Tx, kind: str, party: str) -> str | None:
    """Give the last month that is stated; None when there is none."""
    return max((one.period for one in list_statements(tx, kind, party)), default=None)


def stated_by_month(tx: Tx, kind: str, party: str, currency: str) -> dict[str, int]:
    """Give what all statements together say for each month, before credits, in nanos."""
    sums: dict[str, int] = {}
    for paper in list_statements(tx, kind, party):
        for line in paper.lines if paper.currency == currency else ():
            if line.kind != CREDIT and line.nanos is not None:
                sums[line.month] = sums.get(line.month, 0) + line.nanos
    return sums


def taken_over(tx: Tx, kind: str, party: str, currency: str) -> TakenOver:
    """Give what a party's statements have taken over of what requests booked."""
    found = [one for one in list_statements(tx, kind, party) if one.currency == currency]
    return TakenOver(sum(one.booked_nanos for one in found), sum(one.ahead_nanos for one in found))


def _statement(row: Row[Any]) -> Statement:
    values = dict(row._mapping)  # noqa: SLF001
    values["lines"] = msgspec.json.decode(row.lines, type=tuple[Line, ...])
    values["issued_by"] = msgspec.json.decode(row.issued_by, type=Party)
    return Statement(**values)
