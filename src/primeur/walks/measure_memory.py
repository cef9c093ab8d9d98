"""Measure how much memory versions need while they run, by what was started."""

import asyncio
from collections.abc import Mapping
from functools import partial

from primeur.core.events import MemoryMeasured
from primeur.core.ports import EngineState
from primeur.registry import deployment_rows, rows
from primeur.registry.memory import Seen, grew
from primeur.registry.memory_rows import keep_seen, list_seen
from primeur.registry.scaling import revision_of
from primeur.store.database import Tx, tell
from primeur.walks.house import House
from primeur.walks.plan_replicas import Planned

_ACTOR = "house"
_PERIOD_S = 5.0
_News = list[tuple[rows.Version, Seen]]


async def measure_memory(house: House, stop: asyncio.Event) -> None:
    """Look at every engine each five seconds until *stop*."""
    while not stop.is_set():
        await measure(house)
        try:
            async with asyncio.timeout(_PERIOD_S):
                await stop.wait()
        except TimeoutError:
            continue


async def measure(house: House) -> None:
    """Write down what engines that serve hold, where it is more than was known of just this."""
    held: dict[str, EngineState] = {}
    for process in house.board.now.launches:
        state, revision_id = house.host.state(process), revision_of(process)
        most = held.get(revision_id)
        if state.phase == "ready" and (state.memory_bytes or 0) > ((most.memory_bytes or 0) if most else 0):
            held[revision_id] = state
    if not held:
        return
    news = await house.store.read(partial(_news, house, held))
    if news:
        await house.store.transact(partial(_keep, news, house.clock.now_ms()))


def _news(house: House, held: Mapping[str, EngineState], tx: Tx) -> _News:
    versions = {one.id: one for one in rows.list_versions(tx)}
    known = {(key, one.engine, one.launch): one.memory_bytes for key, seen in list_seen(tx).items() for one in seen}
    found: _News = []
    for revision in deployment_rows.list_revisions(tx):
        version = versions.get(revision.version_id or "")
        state, planned = held.get(revision.id), house.board.now.plans.get(revision.id)
        if version is None or state is None or planned is None:
            continue
        seen = _seen(str(revision.engine), planned, state, version)
        place = version.id, seen.engine, seen.launch
        if grew(seen.memory_bytes, known.get(place)):
            known[place] = seen.memory_bytes
            found.append((version, seen))
    return found


def _seen(engine: str, planned: Planned, state: EngineState, version: rows.Version) -> Seen:
    _, launch = planned
    shared_bytes = min(state.shared_bytes, version.size_bytes or 0)
    return Seen(engine, launch.digest, state.memory_bytes or 0, shared_bytes, launch.memory_bytes)


def _keep(news: _News, now_ms: int, tx: Tx) -> None:
    for version, seen in news:
        keep_seen(tx, version.id, seen, now_ms)
        rows.keep_memory(tx, version.id, seen.memory_bytes)
        told = MemoryMeasured(version.id, seen.memory_bytes, seen.engine, seen.launch)
        tell(tx, told, actor=_ACTOR, at_ms=now_ms)
