"""Fixtures for engines that run as real processes: a clock that goes, a relay, a host, small weights."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from primeur.core.ports import EngineState
from primeur.engines.keeper import Pace
from primeur.engines.process import ProcessHost
from primeur.relay.pool import Pool

HASTY = Pace(
    load_probe_s=0.02,
    probe_s=0.1,
    probe_limit_s=0.3,
    silent_probes=3,
    settle_s=0.01,
    grace_s=5.0,
    first_delay_s=0.05,
    orphan_s=1.2,
)
Until = Callable[[ProcessHost, str, str], Awaitable[EngineState]]


class RealClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool()
    yield made
    await made.aclose()


@pytest.fixture
async def open_host(tmp_path: Path, pool: Pool) -> AsyncIterator[Callable[[], Awaitable[ProcessHost]]]:
    """Opens hosts on one folder, as restarts of the service would; the last one ends every process."""
    hosts: list[ProcessHost] = []

    async def open_one() -> ProcessHost:
        hosts.append(ProcessHost(tmp_path / "engines", RealClock(), pool, pace=HASTY))
        await hosts[-1].open()
        return hosts[-1]

    yield open_one
    for host in hosts:
        await host.aclose()


@pytest.fixture
def until() -> Until:
    """Waits until a revision's engine is in a phase; a minute at most, so that a fault is a failure and not a hang."""

    async def wait(host: ProcessHost, revision_id: str, phase: str) -> EngineState:
        async with asyncio.timeout(60):
            while host.state(revision_id).phase != phase:
                await asyncio.sleep(0.01)
        return host.state(revision_id)

    return wait
