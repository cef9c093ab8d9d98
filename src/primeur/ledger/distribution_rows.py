"""Tiers by which profit is shared out, and what each period paid, as the database keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update

from primeur.core.errors import Conflict, NotFound
from primeur.core.machine import Machine
from primeur.ledger.rules.waterfall import Standing
from primeur.store.database import Tx
from primeur.store.schema import distributions, waterfalls

POSTED = "posted"  # shared out and owed to the parties
PAID = "paid"  # the parties have it
DISTRIBUTION = Machine("distribution", {(POSTED, "pay"): PAID})


@dataclass(frozen=True, slots=True)
class WaterfallRow:
    """Tiers as a document; the newest of a name holds."""

    id: str
    name: str
    document: Mapping[str, Any]
    created_ms: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """What one period paid.

    Attributes:
        profit_nanos: what was shared out or kept, as the ledger says; *profit_cents* is what it was rounded to.
        total_cents, mark_cents, cumulative_cents: where it stood then (`primeur.ledger.rules.waterfall.Standing`).
        paid: cents by party.
    """

    id: str
    name: str
    period: str
    waterfall_id: str
    state: str
    currency: str
    profit_nanos: int
    profit_cents: int
    distributed_cents: int
    total_cents: int
    mark_cents: int
    cumulative_cents: int
    paid: Mapping[str, int]
    created_ms: int
    ended_ms: int | None = None


def add_waterfall(tx: Tx, row: WaterfallRow) -> None:
    """Keep tiers; earlier ones stay, for what was paid by them."""
    document = msgspec.json.encode(row.document).decode()
    tx.execute(insert(waterfalls).values(id=row.id, name=row.name, document=document, created_ms=row.created_ms))


def list_waterfalls(tx: Tx) -> list[WaterfallRow]:
    """Give the tiers that hold, by name."""
    found: dict[str, WaterfallRow] = {}
    for row in tx.execute(select(waterfalls).order_by(waterfalls.c.created_ms, waterfalls.c.id)):
        found[row.name] = WaterfallRow(row.id, row.name, msgspec.json.decode(row.document), row.created_ms)
    return [found[name] for name in sorted(found)]


def find_waterfall(tx: Tx, name: str) -> WaterfallRow:
    """Give the tiers that hold under a name.

    Raises:
        NotFound: there are none.
    """
    row = next((one for one in list_waterfalls(tx) if one.name == name), None)
    if row is None:
        raise NotFound(f"there are no tiers {name!r}; `primeur distributions set {name} TIERS.toml` keeps some")
    return row


def add_distribution(tx: Tx, one: Distribution) -> None:
    """Keep what a period paid."""
    plain = {name: getattr(one, name) for name in Distribution.__slots__ if name != "paid"}
    tx.execute(insert(distributions).values(**plain, paid=msgspec.json.encode(one.paid).decode()))


def list_distributions(tx: Tx, name: str = "") -> list[Distribution]:
    """Give distributions, the newest period first."""
    query = select(distributions).order_by(distributions.c.period.desc(), distributions.c.name)
    return [_distribution(row) for row in tx.execute(query.where(distributions.c.name == name) if name else query)]


def find_distribution(tx: Tx, name: str, period: str) -> Distribution:
    """Give what a period paid.

    Raises:
        NotFound: it was not distributed.
    """
    for one in list_distributions(tx, name):
        if one.period == period:
            return one
    raise NotFound(f"{period} was not distributed by {name!r}; `primeur distributions list` shows those there are")


def move_distribution(tx: Tx, before: Distribution, state: str, now_ms: int) -> Distribution:
    """Move a distribution on, if it is still in the state it was read in.

    Raises:
        Conflict: somebody else has moved it meanwhile.
    """
    c = distributions.c
    change = update(distributions).where(c.id == before.id, c.state == before.state)
    if tx.execute(change.values(state=state, ended_ms=now_ms)).rowcount != 1:
        raise Conflict(f"the distribution of {before.period} has been changed meanwhile; look again")
    return find_distribution(tx, before.name, before.period)


def standing_of(found: list[Distribution]) -> Standing:
    """Give where a distribution stands after all that were paid, *found* newest first."""
    paid: dict[str, int] = {}
    for one in found:
        for party, cents in one.paid.items():
            paid[party] = paid.get(party, 0) + cents
    last = found[0] if found else None
    return (
        Standing(0, 0, 0, {})
        if last is None
        else Standing(last.total_cents, last.mark_cents, last.cumulative_cents, paid)
    )


def _distribution(row: Row[Any]) -> Distribution:
    values = dict(row._mapping)  # noqa: SLF001
    return Distribution(**values | {"paid": msgspec.json.decode(row.paid, type=dict[str, int])})
