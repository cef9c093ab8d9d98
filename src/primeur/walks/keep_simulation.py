"""Keep what a simulation found, so that the console lists and draws it."""

from primeur.broker.simulation_rows import Found, SimulationRow, keep_simulation
from primeur.core.caller import Caller
from primeur.core.events import SimulationKept
from primeur.core.ids import make_id
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House


async def keep_found(house: House, caller: Caller, found: Found) -> SimulationRow:
    """Keep it; the oldest of more than a hundred is forgotten."""
    now_ms = house.clock.now_ms()
    row = SimulationRow(make_id("simulation", now_ms, house.entropy), found, now_ms)

    def work(tx: Tx) -> None:
        keep_simulation(tx, row)
        tell(tx, SimulationKept(row.id, found.kind, found.trace), actor=actor_of(caller), at_ms=now_ms)

    await house.store.transact(work)
    return row
