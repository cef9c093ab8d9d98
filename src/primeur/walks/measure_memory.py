"""Measure how much memory versions need while they run, and go by it before another is loaded."""

import asyncio
from functools import partial

from primeur.core.events import MemoryMeasured
from primeur.registry import deployment_rows, rows
from primeur.registry.rules import check_memory, grew
from primeur.registry.scaling import revision_of
from primeur.store.database import Tx, tell
from primeur.walks.house import House

_ACTOR = "house"
_PERIOD_S = 5.0


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
    """Write down what engines that serve hold, where it is more than was known of their versions."""
    seen = {one: house.host.state(one) for one in house.board.now.launches}
    held: dict[str, int] = {}
    for process, state in seen.items():
        if state.phase == "ready" and state.memory_bytes:
            revision_id = revision_of(process)
            held[revision_id] = max(state.memory_bytes, held.get(revision_id, 0))
    if not held:
        return
    news = await house.store.read(partial(_news, held))
    if news:
        await house.store.transact(partial(_keep, news, house.clock.now_ms()))


def _news(held: dict[str, int], tx: Tx) -> dict[str, int]:
    known = {one.id: one.memory_bytes for one in rows.list_versions(tx)}
    found: dict[str, int] = {}
    for revision in deployment_rows.list_revisions(tx):
        version_id, memory_bytes = revision.version_id, held.get(revision.id)
        if version_id is not None and memory_bytes and grew(memory_bytes, found.get(version_id, known[version_id])):
            found[version_id] = memory_bytes
    return found


def _keep(news: dict[str, int], now_ms: int, tx: Tx) -> None:
    for version_id, memory_bytes in news.items():
        rows.keep_memory(tx, version_id, memory_bytes)
        tell(tx, MemoryMeasured(version_id, memory_bytes), actor=_ACTOR, at_ms=now_ms)


def check_fit(tx: Tx, house: House, version_id: str) -> None:
    """Let a version be loaded beside what runs; engines of the same weights share them.

    Raises:
        Conflict: it does not fit; see `primeur.registry.rules.check_memory`.
    """
    needed = {one.id: one.memory_bytes for one in rows.list_versions(tx)}.get(version_id)
    names = {one.id: one.name for one in deployment_rows.list_deployments(tx)}
    running: dict[str, int] = {}
    for revision in deployment_rows.list_revisions(tx):
        if revision.version_id != version_id:
            name = names[revision.deployment_id]
            for process in house.board.now.launches:
                if revision_of(process) == revision.id:
                    running[name] = running.get(name, 0) + (house.host.state(process).memory_bytes or 0)
    check_memory(needed, running, house.place.memory_bytes)
