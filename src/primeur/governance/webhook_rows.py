"""Deliveries of webhooks, as the database keeps them."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, select, update

from primeur.core.errors import Conflict, NotFound
from primeur.governance.webhook_rules import DELIVERY, PENDING
from primeur.store.database import Tx
from primeur.store.schema import webhook_deliveries as table

# Asked every second, as long as the service runs: making the statement would cost more than answering it.
_DUE = select(table.c.id).where(table.c.state == PENDING, table.c.next_ms <= bindparam("now_ms")).limit(1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one URL.

    Attributes:
        project_id: whose affair it is; None: the house's.
        kind: such as ``invoice.issued``.
        body: JSON, exactly as it is sent and signed.
        attempts: how often it was tried.
        next_ms: when it is due; whoever takes it moves this on first, so that nobody else does.
        status: what the receiver answered last; None: nothing.
        fault: why the last attempt failed, in words.
        ended_ms: when it was delivered or abandoned.
    """

    id: str
    project_id: str | None
    url: str
    kind: str
    body: str
    created_ms: int
    next_ms: int
    state: str = PENDING
    attempts: int = 0
    status: int | None = None
    fault: str | None = None
    ended_ms: int | None = None


def add_delivery(tx: Tx, delivery: Delivery) -> None:
    """Keep a new delivery."""
    tx.execute(insert(table).values(asdict(delivery)))


def take_due(tx: Tx, now_ms: int, lease_ms: int, most: int) -> list[Delivery]:
    """Take what is due, oldest first; nobody else gets it for *lease_ms*, and whoever crashes leaves it to others."""
    asked = (
        _select()
        .where(table.c.state == PENDING, table.c.next_ms <= now_ms)
        .order_by(table.c.next_ms, table.c.id)
        .limit(most)
    )
    taken = []
    for one in [Delivery(*row) for row in tx.execute(asked)]:
        mine = (table.c.id == one.id) & (table.c.state == PENDING) & (table.c.next_ms == one.next_ms)
        if tx.execute(update(table).where(mine).values(next_ms=now_ms + lease_ms)).rowcount == 1:
            taken.append(replace(one, next_ms=now_ms + lease_ms))
    return taken


def is_due(tx: Tx, now_ms: int) -> bool:
    """Whether anything is due."""
    return tx.execute(_DUE, {"now_ms": now_ms}).first() is not None


def move_delivery(tx: Tx, delivery: Delivery, move: str, **values: int | str | None) -> Delivery:
    """Move a delivery on, if it stands where *delivery* says.

    Raises:
        Conflict: it moved meanwhile, or cannot move so.
    """
    moved = {"state": DELIVERY.after(delivery.state, move), **values}
    here = (table.c.id == delivery.id) & (table.c.state == delivery.state) & (table.c.next_ms == delivery.next_ms)
    if tx.execute(update(table).where(here).values(moved)).rowcount != 1:
        raise Conflict(f"the delivery {delivery.id} moved meanwhile; look at it again")
    return find_delivery(tx, delivery.id)


def find_delivery(tx: Tx, delivery_id: str) -> Delivery:
    """Give one delivery.

    Raises:
        NotFound: there is none.
    """
    row = tx.execute(_select().where(table.c.id == delivery_id)).first()
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id!r}; `primeur webhooks list` shows those there are")
    return Delivery(*row)


def list_deliveries(tx: Tx, state: str | None, before: str | None, most: int) -> list[Delivery]:
    """Give deliveries, newest first, *before* an id."""
    asked = _select()
    if state is not None:
        asked = asked.where(table.c.state == state)
    if before is not None:
        asked = asked.where(table.c.id < before)
    return [Delivery(*row) for row in tx.execute(asked.order_by(table.c.id.desc()).limit(most))]


def forget_deliveries(tx: Tx, before_ms: int, most: int) -> int:
    """Forget deliveries that ended before a moment, *most* at once; gives how many."""
    old = select(table.c.id).where(table.c.ended_ms < before_ms).limit(most)
    return tx.execute(delete(table).where(table.c.id.in_(old.scalar_subquery()))).rowcount


def _select() -> Select[Any]:
    return select(*(table.c[name] for name in Delivery.__slots__))
