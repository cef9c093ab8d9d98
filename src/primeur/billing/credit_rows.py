"""Grants and what became of them, as the database keeps them."""

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import func, insert, select

from primeur.billing.rules.credits import Balance, Burn, Grant, Wallet
from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import grant_burns, grants

PROVIDER_HOLDER = "provider:"
"""What the holder of credits begins with that we hold at a provider; its name follows."""

USE = "use"
EXPIRE = "expire"
RETURN = "return"


def add_grant(tx: Tx, grant: Grant) -> None:
    """Keep a new grant."""
    tx.execute(insert(grants).values(**asdict(grant)))


def list_grants(tx: Tx, holder: str | None = None) -> list[Grant]:
    """Give grants, oldest first."""
    query = select(grants).order_by(grants.c.created_ms, grants.c.id)
    if holder is not None:
        query = query.where(grants.c.holder == holder)
    return [Grant(**row._mapping) for row in tx.execute(query)]  # noqa: SLF001


def find_grant(tx: Tx, grant_id: str) -> Grant:
    """Give one grant.

    Raises:
        NotFound: there is none.
    """
    row = tx.execute(select(grants).where(grants.c.id == grant_id)).first()
    if row is None:
        raise NotFound(f"there is no credit {grant_id!r}; `primeur credits list` shows those there are")
    return Grant(**row._mapping)  # noqa: SLF001


def balances(tx: Tx, found: Iterable[Grant]) -> dict[str, Balance]:
    """Give what became of each grant, by its id."""
    c = grant_burns.c
    sums: dict[tuple[str, str], int] = {}
    query = select(c.grant_id, c.kind, func.sum(c.nanos)).group_by(c.grant_id, c.kind)
    for grant_id, kind, nanos in tx.execute(query):
        sums[grant_id, kind] = int(nanos)
    return {
        one.id: Balance(
            one.nanos,
            sums.get((one.id, USE), 0) - sums.get((one.id, RETURN), 0),
            sums.get((one.id, EXPIRE), 0),
        )
        for one in found
    }


def wallet_of(tx: Tx, holder: str, currency: str | None = None) -> Wallet:
    """Give a holder's grants, of one currency or all, and what is left of each."""
    found = [one for one in list_grants(tx, holder) if currency in {None, one.currency}]
    return Wallet(found, {name: balance.left for name, balance in balances(tx, found).items()})


def keep_burns(tx: Tx, burns: Iterable[Burn], kind: str, paper_id: str, now_ms: int) -> None:
    """Keep what was taken from grants for a paper; the same twice is refused by the database.

    Raises:
        Conflict: a grant would fall below zero.
    """
    rows = [
        {"grant_id": one.grant_id, "day_ms": one.day_ms, "nanos": one.nanos, "kind": kind, "paper_id": paper_id}
        | {"created_ms": now_ms}
        for one in burns
    ]
    if not rows:
        return
    tx.execute(insert(grant_burns), rows)
    found = [find_grant(tx, str(name)) for name in {row["grant_id"] for row in rows}]
    for name, balance in balances(tx, found).items():
        if balance.left < 0:
            raise Conflict(f"the credit {name!r} would fall below zero; nothing was changed")


def burns_of(tx: Tx, paper_id: str, kind: str) -> list[Burn]:
    """Give what was taken from grants for a paper."""
    c = grant_burns.c
    query = select(c.grant_id, c.day_ms, c.nanos).where(c.paper_id == paper_id, c.kind == kind)
    return [Burn(*row) for row in tx.execute(query.order_by(c.day_ms, c.grant_id))]
