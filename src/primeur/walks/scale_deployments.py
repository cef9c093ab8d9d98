"""Decide again and again how many replicas of each revision shall run on this machine, by what is seen of them."""

import asyncio
import logging
from dataclasses import dataclass

import msgspec

from primeur.core.engine import READY
from primeur.core.errors import Conflict
from primeur.core.events import ReplicasDecided
from primeur.core.ids import make_id
from primeur.core.scaling import Load, Scaling
from primeur.registry.load_history import History
from primeur.registry.memory import fitting, held_by
from primeur.registry.scaling import BOUNDS, Decision, Observed, decide, process_name
from primeur.registry.scaling_rows import ScalingDecision, add_decision
from primeur.store.database import Tx, tell
from primeur.walks.fit_memory import holdings
from primeur.walks.follow_changes import catch_up
from primeur.walks.house import House, Scaled
from primeur.walks.read_loads import NOTHING, loads_everywhere, queue_of

SCALER = "scaler"
_PERIOD_S = 0.25
_log = logging.getLogger("primeur.scaling")


@dataclass
class Watched:
    """What was seen of one revision.

    Attributes:
        history: of its load.
        used_ms: when a request was last seen, UTC milliseconds.
        looked_ms: when it was looked at last.
        was_busy: it had requests under way then.
    """

    history: History
    used_ms: int
    looked_ms: int
    was_busy: bool = False


async def scale_deployments(house: House, stop: asyncio.Event) -> None:
    """Look at every revision that is scaled four times a second until *stop*."""
    watched: dict[str, Watched] = {}
    while not stop.is_set():
        await tick(house, watched)
        try:
            async with asyncio.timeout(_PERIOD_S):
                await stop.wait()
        except TimeoutError:
            continue


async def tick(house: House, watched: dict[str, Watched]) -> None:
    """Decide once about each revision, and write down what is to change."""
    scaled = {one.revision_id: one for one in house.board.now.scaled}
    for gone in watched.keys() - scaled.keys():
        del watched[gone]
    loads = loads_everywhere(house) if scaled else {}
    made = house.board.made.copy()
    house.board.made.clear()
    for one in scaled.values():
        seen = watched.setdefault(one.revision_id, _begin(one.scaling, house.clock.now_ms()))
        observed = look(house, one, seen, loads.get(one.revision_id, NOTHING), made[one.revision_id])
        decision = decide(one.scaling, observed, house.clock.now_ms())
        if one.decision is None:
            words = f"it begins with {one.replicas}"
            decision = msgspec.structs.replace(decision, replicas=one.replicas, reason=BOUNDS, detail=words)
        elif decision.replicas == one.replicas and not _is_news(one.decision, decision):
            continue
        await _write(house, one, decision)
        # What was given to this one is not there for the next.
        await catch_up(house)


def look(house: House, one: Scaled, seen: Watched, load: Load, made: int) -> Observed:
    """Take up what is under way now, and give what is known of the revision.

    Args:
        made: output tokens since the last look.
    """
    now_ms, scaling = house.clock.now_ms(), one.scaling
    elapsed_s = max(1, now_ms - seen.looked_ms) / 1000
    values = {"concurrency": load.in_flight, "queue": queue_of(load, one.slots), "tokens": made / elapsed_s}
    seen.history.take(now_ms, values[scaling.metric])
    # A probe of ours is under way for a moment, too; what is seen twice in a row is a request.
    if load.waiting or (load.in_flight and seen.was_busy):
        seen.used_ms = now_ms
    seen.was_busy, seen.looked_ms = load.in_flight > 0, now_ms
    seen.used_ms = max(seen.used_ms, house.board.ended_ms.get(one.revision_id, 0))
    states = [house.host.state(process_name(one.revision_id, number)) for number in range(1, one.replicas + 1)]
    return Observed(
        replicas=one.replicas,
        ready=sum(state.phase == READY for state in states),
        load=seen.history.average,
        peak=seen.history.peak,
        waiting=load.waiting,
        idle_ms=now_ms - seen.used_ms,
        changed_ms=one.decision.created_ms if one.decision else None,
        fits=fitting(one.need, sum(held_by(holdings(house, one.revision_id)).values()), house.place.memory_bytes),
        kept=one.kept,
    )


def _begin(scaling: Scaling, now_ms: int) -> Watched:
    # After a restart of ours nobody knows when it was last used, so the wait begins anew.
    history = History(int(scaling.over_s * 1000), max(1, int(scaling.down_cooldown_s * 1000)))
    return Watched(history, now_ms, now_ms)


def _is_news(before: ScalingDecision, decision: Decision) -> bool:
    """Whether it is to be told although no replica comes or goes: more are wanted than fit, or no longer."""
    return (decision.wanted > decision.replicas) != (before.wanted > before.replicas)


async def _write(house: House, one: Scaled, decision: Decision) -> None:
    """Put a decision into force, unless somebody else was quicker; either way there is something new to read."""
    now_ms, evidence = house.clock.now_ms(), msgspec.json.encode(decision.evidence).decode()
    row = ScalingDecision(
        id=make_id("scaling_decision", now_ms, house.entropy),
        deployment_id=one.deployment_id,
        revision_id=one.revision_id,
        place=house.place.name,
        before=one.replicas,
        replicas=decision.replicas,
        wanted=decision.wanted,
        reason=decision.reason,
        detail=decision.detail,
        evidence=evidence,
        created_ms=now_ms,
    )
    told = ReplicasDecided(
        one.deployment, one.revision_id, row.place, row.before, row.replicas, row.reason, row.detail, evidence
    )

    def work(tx: Tx) -> None:
        add_decision(tx, row, one.decision.id if one.decision else None)
        tell(tx, told, actor=SCALER, at_ms=now_ms)

    try:
        await house.store.transact(work)
    except Conflict as conflict:
        _log.info("%s", conflict)
