"""Decisions about replicas as rows: the newest one of each revision and machine says how many shall run."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from primeur.core.errors import Conflict
from primeur.store.database import Tx
from primeur.store.schema import scaling_decisions

KEPT_MOST = 1000
"""Decisions of one deployment that are kept; the event log keeps all of them."""
_c = scaling_decisions.c


@dataclass(frozen=True, slots=True)
class ScalingDecision:
    """What was decided about one revision on one machine.

    Attributes:
        place: name of the data folder whose engines are meant.
        before, replicas: how many ran, and how many shall run.
        wanted: how many there would be if memory had no end.
        reason, detail, evidence: see `primeur.registry.scaling.Decision`; *evidence* is JSON.
        newest: it is in force.
    """

    id: str
    deployment_id: str
    revision_id: str
    place: str
    before: int
    replicas: int
    wanted: int
    reason: str
    detail: str
    evidence: str
    created_ms: int
    newest: bool = True


def add_decision(tx: Tx, row: ScalingDecision, after: str | None) -> None:
    """Put a decision into force, in place of the one with the id *after*.

    Raises:
        Conflict: another one was made meanwhile.
    """
    same = (_c.revision_id == row.revision_id, _c.place == row.place, _c.newest)
    found = tx.execute(select(_c.id).where(*same)).scalar()
    if found != after:
        raise Conflict(f"the replicas of {row.revision_id} were decided on by somebody else meanwhile")
    tx.execute(update(scaling_decisions).where(*same).values(newest=False))
    tx.execute(insert(scaling_decisions).values(**{name: getattr(row, name) for name in ScalingDecision.__slots__}))
    kept = select(_c.id).where(_c.deployment_id == row.deployment_id).order_by(_c.created_ms.desc(), _c.id.desc())
    oldest = tx.execute(kept.offset(KEPT_MOST).limit(1)).scalar()
    if oldest is not None:
        gone = (_c.deployment_id == row.deployment_id, _c.id <= oldest, ~_c.newest)
        tx.execute(delete(scaling_decisions).where(*gone))


def decisions_in_force(tx: Tx, place: str) -> dict[str, ScalingDecision]:
    """Give the newest decision of each revision on one machine, by the revision's id."""
    rows = tx.execute(select(scaling_decisions).where(_c.newest, _c.place == place))
    return {row.revision_id: _decision(row) for row in rows}


def list_decisions(tx: Tx, deployment_id: str, most: int) -> list[ScalingDecision]:
    """Give the decisions about one deployment on all machines, newest first."""
    found = select(scaling_decisions).where(_c.deployment_id == deployment_id)
    rows = tx.execute(found.order_by(_c.created_ms.desc(), _c.id.desc()).limit(most))
    return [_decision(row) for row in rows]


def _decision(row: Row[Any]) -> ScalingDecision:
    return ScalingDecision(**{name: getattr(row, name) for name in ScalingDecision.__slots__})
