"""Let a revision be loaded only where its processes fit beside everything else of this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain

from primeur.core.errors import PrimeurError
from primeur.registry import deployment_rows
from primeur.registry.deployment_rows import Revision
from primeur.registry.memory import Holding, Need, Seen, check_memory, fitting, held_by, need_of
from primeur.registry.memory_rows import list_seen
from primeur.registry.scaling import bounds_at, revision_of
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.plan_replicas import Planned, engine_order

_Known = Mapping[str, list[Seen]]


def need_for(revision: Revision, planned: Planned, known: _Known) -> Need | None:
    """Say what one process of a revision needs; None: nothing is known."""
    _, launch = planned
    seen, elsewhere = known.get(revision.version_id or "", []), chain.from_iterable(known.values())
    return need_of(str(revision.engine), launch.digest, launch.memory_bytes, seen, elsewhere)


def expect(deployment: str, revision: Revision, planned: Planned, need: Need | None) -> Holding:
    """Give what one process of a revision will hold; nothing where nothing is known."""
    needed = need or Need(0)
    weights = f"{revision.engine} {planned[0].weights}"
    return Holding(deployment, weights, needed.memory_bytes, needed.shared_bytes)


def holdings(house: House, without: str = "") -> list[Holding]:
    """Give what each engine process here holds, or will where that is more, but those of the revision *without*."""
    now, found = house.board.now, []
    for process in now.launches:
        expected = now.holdings.get(revision_of(process))
        if expected is not None and revision_of(process) != without:
            seen = house.host.state(process).memory_bytes or 0
            found.append(replace(expected, memory_bytes=max(expected.memory_bytes, seen)))
    return found


def that_fit(house: House, revision_id: str, need: Need | None, replicas: int) -> int:
    """Give how many of the replicas that a revision would begin with fit beside all others; never none for that."""
    fits = fitting(need, sum(held_by(holdings(house, revision_id)).values()), house.place.memory_bytes)
    return replicas if fits is None else min(replicas, max(1, fits))


def check_fit(tx: Tx, house: House, revision: Revision, planned: Planned, name: str) -> None:
    """Let a revision be loaded beside what runs and what is about to, in as many replicas as it must have.

    Other revisions of the same deployment count, too: they serve until this one is ready.

    Raises:
        Conflict: it does not fit; see `primeur.registry.memory.check_memory`.
    """
    known = list_seen(tx)
    need = need_for(revision, planned, known)
    if need is None:
        return
    scaling = None if planned[1].replicates else revision.scaling
    replicas = 1 if scaling is None else max(1, bounds_at(scaling, house.clock.now_ms())[0])
    asked = [expect(name, revision, planned, need)] * replicas
    check_memory(asked, need, [*holdings(house), *_coming(tx, house, revision, known)], house.place.memory_bytes)


def _coming(tx: Tx, house: House, asked: Revision, known: _Known) -> Iterator[Holding]:
    """Revisions that no snapshot has seen yet, for several may be declared at once; one replica of each."""
    weights = deployment_rows.list_weights(tx)
    for row in deployment_rows.list_deployments(tx):
        revision = next(iter(deployment_rows.list_revisions(tx, row.id)), asked)
        engine = house.engines.get(revision.engine or "")
        if engine is None or revision.id == asked.id or revision.id in house.board.now.plans:
            continue
        runs = weights.get(revision.version_id or "")
        order = engine_order(house, revision, runs.model if runs else row.name, runs.path if runs else None)
        try:
            planned = (order, engine.plan(order))
        except PrimeurError:
            continue  # It will not run, and its page says why.
        yield expect(row.name, revision, planned, need_for(revision, planned, known))
