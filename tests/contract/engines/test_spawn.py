"""Processes leave nothing behind: what they started ends with them."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from primeur.engines import spawn

SCRIPT = 'sleep 600 & echo $! > "$0.part"; mv "$0.part" "$0"; wait'


async def start(place: Path) -> tuple[spawn.Child, int]:
    """A wrapper around a program that would run for ten minutes; gives both."""
    pid = spawn.start(("/bin/sh", "-c", SCRIPT, str(place)), {}, place.with_suffix(".log"))
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(place.exists):
            await asyncio.sleep(0.01)
    started = await asyncio.to_thread(place.read_text)
    return spawn.Child(pid, spawn.started_ticks(pid), 1, "secret"), int(started)


async def gone(pid: int) -> bool:
    """Whether a process goes within 20 seconds."""
    async with asyncio.timeout(20):
        while spawn.started_ticks(pid):
            await asyncio.sleep(0.01)
    return True


@pytest.mark.parametrize("which", [signal.SIGKILL, signal.SIGTERM])
async def test_what_a_process_left_behind_ends(tmp_path: Path, which: signal.Signals) -> None:
    """The wrapper alone is ended by somebody else; its program would keep its memory."""
    wrapper, program = await start(tmp_path / "pid")
    os.kill(wrapper.pid, which)
    assert await spawn.ended(wrapper) == f"ended by {which.name}"
    assert await gone(program)


async def test_a_process_is_killed_with_what_it_started(tmp_path: Path) -> None:
    """At once; a second time is nothing."""
    wrapper, program = await start(tmp_path / "pid")
    spawn.kill(wrapper)
    await spawn.ended(wrapper)
    assert await gone(program)
    spawn.kill(wrapper)


async def test_memory_counts_what_a_process_started(tmp_path: Path) -> None:
    """A server behind a wrapper is where the memory is; of a process that is gone there is none."""
    wrapper, program = await start(tmp_path / "pid")
    both, shared = spawn.memory_of(wrapper.pid)
    alone, _ = spawn.memory_of(program)
    assert both > alone > 0
    assert 0 < shared < both
    spawn.kill(wrapper)
    await spawn.ended(wrapper)
    assert spawn.memory_of(wrapper.pid) == (0, 0)
