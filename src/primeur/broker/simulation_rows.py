"""Simulations that were kept: what was replayed, the figures, and what is drawn of them; rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from primeur.core.errors import NotFound
from primeur.store.database import Tx
from primeur.store.schema import simulations

KEPT_MOST = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What a simulation found.

    Attributes:
        kind: ``requests`` or ``procurement``.
        trace: the name of the file that was replayed.
        figures: as `primeur simulate --json` prints them.
    """

    kind: str
    trace: str
    figures: Mapping[str, Any]
    drawing: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SimulationRow:
    """A simulation that is kept."""

    id: str
    found: Found
    created_ms: int


def keep_simulation(tx: Tx, row: SimulationRow) -> None:
    """Keep one; of those there are, the oldest beyond a hundred are forgotten."""
    texts = {"figures": json.dumps(row.found.figures), "drawing": json.dumps(row.found.drawing)}
    values = {"id": row.id, "kind": row.found.kind, "trace": row.found.trace, "created_ms": row.created_ms}
    tx.execute(insert(simulations).values(values | texts))
    c = simulations.c
    kept = select(c.id).order_by(c.created_ms.desc(), c.id.desc()).limit(KEPT_MOST).subquery()
    tx.execute(delete(simulations).where(c.id.not_in(select(kept.c.id))))


def list_simulations(tx: Tx) -> list[SimulationRow]:
    """Give all, newest first."""
    c = simulations.c
    return [_row(row) for row in tx.execute(select(simulations).order_by(c.created_ms.desc(), c.id.desc()))]


def find_simulation(tx: Tx, simulation_id: str) -> SimulationRow:
    """Give one.

    Raises:
        NotFound: there is none of this id.
    """
    row = tx.execute(select(simulations).where(simulations.c.id == simulation_id)).first()
    if row is None:
        raise NotFound(f"there is no simulation {simulation_id!r}; `primeur simulate list` shows those that are kept")
    return _row(row)


def _row(row: Any) -> SimulationRow:
    found = Found(row.kind, row.trace, json.loads(row.figures), json.loads(row.drawing))
    return SimulationRow(row.id, found, row.created_ms)
