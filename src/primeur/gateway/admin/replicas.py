"""How many replicas of a revision shall run, and how they are doing."""

import msgspec

from primeur.core.engine import READY
from primeur.core.ports import EngineState
from primeur.registry.scaling import process_name, revision_of
from primeur.walks.house import House


class ReplicasView(msgspec.Struct, frozen=True, kw_only=True):
    """Replicas of one revision on this machine.

    Attributes:
        wanted: that shall run; 0 while it sleeps.
        ready: that serve.
        held: why there are not as many as the load asks for; empty when there are.
    """

    wanted: int
    ready: int
    held: str


def replica_states(house: House, revision_id: str) -> list[EngineState]:
    """Give how each replica that shall run is doing, the first one first."""
    launches = house.board.now.launches
    count = sum(revision_of(process) == revision_id for process in launches)
    return [house.host.state(process_name(revision_id, number)) for number in range(1, count + 1)]


def show_replicas(house: House, revision_id: str, states: list[EngineState]) -> ReplicasView | None:
    """Give the replicas of a revision; None when it is not to run here at all."""
    found = [one for one in house.board.now.scaled if one.revision_id == revision_id]
    if not found and not states:
        return None
    decision = found[0].decision if found else None
    return ReplicasView(
        wanted=len(states),
        ready=sum(state.phase == READY for state in states),
        held=decision.detail if decision and decision.wanted > decision.replicas else "",
    )
