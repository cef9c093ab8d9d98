"""Plan the engine processes of a revision: how each is started, and how many there shall be."""

from dataclasses import replace

from primeur.core.errors import BadRequest
from primeur.core.ports import EngineOrder, Launch
from primeur.core.scaling import ONE, Scaling
from primeur.registry.deployment_rows import Revision
from primeur.registry.scaling import check_scaling, first_replicas, process_name
from primeur.registry.scaling_rows import ScalingDecision
from primeur.walks.house import House

Planned = tuple[EngineOrder, Launch]


def engine_order(house: House, revision: Revision, model: str, path: str | None) -> EngineOrder:
    """Say what *revision* asks of its engine.

    Args:
        path: of the weights, below the data folder.
    """
    place, scaling = house.place, revision.scaling or ONE
    return EngineOrder(
        revision_id=revision.id,
        model=model,
        weights=None if path is None else place.data_dir / path,
        settings=revision.settings,
        # Replicas share the machine; as many as there may ever be, so that each is started in the same way.
        cores=max(1, place.cores // scaling.most),
        memory_bytes=place.memory_bytes,
        log_path=place.data_dir / "engines" / f"{revision.id}.log",
        programs=place.programs,
        scaling=scaling,
    )


def check_replicas(scaling: Scaling | None, launch: Launch, engine: str) -> None:
    """Let an engine be scaled so.

    Raises:
        BadRequest: bounds, windows or time zone that cannot be met, or a load that the engine does not tell.
    """
    if scaling is None:
        return
    check_scaling(scaling)
    if scaling.metric == "queue" and launch.slots is None and not launch.replicates:
        words = f"the engine {engine} does not say how many requests it works on at once; scale by concurrency"
        raise BadRequest(words, param="scaling.metric")


def replicas_of(revision: Revision, launch: Launch, decision: ScalingDecision | None, before: int, now_ms: int) -> int:
    """Give how many processes shall run.

    Args:
        before: how many the deployment's revision before it has.
    """
    if revision.scaling is None or launch.replicates:
        return 1
    if decision is None:
        return first_replicas(revision.scaling, before, now_ms)
    return min(decision.replicas, revision.scaling.most)


def processes(planned: Planned, replicas: int) -> dict[str, Planned]:
    """Give each replica's process by name; they differ in their names and logs only."""
    order, launch = planned
    found = {order.revision_id: planned} if replicas else {}
    for number in range(2, replicas + 1):
        name = process_name(order.revision_id, number)
        log_path = order.log_path.with_name(f"{name}.log")
        found[name] = (replace(order, revision_id=name, log_path=log_path), launch)
    return found
