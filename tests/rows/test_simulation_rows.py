"""Simulations are kept, newest first, and never more than a hundred; on both databases."""

import pytest

from primeur.broker.simulation_rows import (
    KEPT_MOST,
    Found,
    SimulationRow,
    find_simulation,
    keep_simulation,
    list_simulations,
)
from primeur.core.errors import NotFound


def test_the_newest_hundred_stay(store):
    """The oldest is forgotten when one more comes."""
    found = Found("requests", "trace.csv", {"spill_share": 0.25}, {"step_ms": 1, "plots": {}})
    rows = [SimulationRow(f"sim_{number:03}", found, number) for number in range(KEPT_MOST + 2)]
    for row in rows:
        store.transact_now(lambda tx, row=row: keep_simulation(tx, row))
    assert store.read_now(list_simulations) == rows[:1:-1]
    assert store.read_now(lambda tx: find_simulation(tx, "sim_101")) == rows[-1]
    with pytest.raises(NotFound, match="no simulation 'sim_000'"):
        store.read_now(lambda tx: find_simulation(tx, "sim_000"))
