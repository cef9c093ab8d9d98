"""The engine host with real processes: restart, adoption, drain, and the end of orphans."""

import asyncio
import os
import shutil
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from primeur.core.errors import SetupError, TargetFailed
from primeur.core.ports import EngineOrder, EngineState, Launch
from primeur.core.scaling import Scaling
from primeur.engines.echo import ENGINE
from primeur.engines.process import ProcessHost
from primeur.engines.spawn import started_ticks
from primeur.relay.pool import Pool

Open = Callable[[], Awaitable[ProcessHost]]
Until = Callable[[ProcessHost, str, str], Awaitable[EngineState]]


def echo(folder: Path, **settings: object) -> dict[str, tuple[EngineOrder, Launch]]:
    """What a host is asked to run: one echo engine."""
    order = EngineOrder("rev_1", "echo", None, settings, 2, 1 << 30, folder / "rev_1.log")
    return {"rev_1": (order, ENGINE.plan(order))}


def is_gone(pid: int | None) -> bool:
    """Whether no process runs under *pid*."""
    return started_ticks(pid or 0) == 0


async def gone(pid: int | None) -> None:
    """Wait until a process has ended."""
    async with asyncio.timeout(30):
        while not is_gone(pid):
            await asyncio.sleep(0.02)


async def test_an_engine_gets_ready_and_guards_its_port(
    open_host: Open, until: Until, tmp_path: Path, pool: Pool
) -> None:
    """It loads, serves with its key, and answers 401 without."""
    host = await open_host()
    host.want(echo(tmp_path, load_ms=300))
    assert (await until(host, "rev_1", "loading")).detail == "loading"
    state = await until(host, "rev_1", "ready")
    assert state.endpoint is not None
    with_key = await pool.send(state.endpoint, "GET", "/models")
    without = await pool.send(replace(state.endpoint, headers=()), "GET", "/models")
    assert (with_key.status, without.status) == (200, 401)
    await with_key.read(10_000), await without.read(10_000)
    assert state.memory_bytes is not None
    assert state.memory_bytes > 1 << 20


async def test_a_killed_engine_comes_back(open_host: Open, until: Until, tmp_path: Path) -> None:
    """SIGKILL is named as the reason, and another process serves soon."""
    host = await open_host()
    host.want(echo(tmp_path))
    first = await until(host, "rev_1", "ready")
    os.kill(first.pid or 0, signal.SIGKILL)
    waiting = await until(host, "rev_1", "waiting")
    assert "ended by SIGKILL" in waiting.detail
    again = await until(host, "rev_1", "ready")
    assert again.pid != first.pid
    assert again.restarts == 1


async def test_the_next_start_adopts_a_running_engine(open_host: Open, until: Until, tmp_path: Path) -> None:
    """What was left running is found again under the same pid, port and key; the file with the key is private."""
    host = await open_host()
    host.want(echo(tmp_path))
    left = await until(host, "rev_1", "ready")
    await host.aclose(keep_running=True)
    assert (tmp_path / "engines" / "rev_1.json").stat().st_mode & 0o077 == 0
    next_host = await open_host()
    next_host.want(echo(tmp_path))
    found = await until(next_host, "rev_1", "ready")
    assert (found.pid, found.endpoint) == (left.pid, left.endpoint)


async def test_an_adopted_engine_that_dies_is_replaced(open_host: Open, until: Until, tmp_path: Path) -> None:
    """Supervision does not depend on having started the process."""
    host = await open_host()
    host.want(echo(tmp_path))
    left = await until(host, "rev_1", "ready")
    await host.aclose(keep_running=True)
    next_host = await open_host()
    next_host.want(echo(tmp_path))
    await until(next_host, "rev_1", "ready")
    os.kill(left.pid or 0, signal.SIGKILL)
    await until(next_host, "rev_1", "waiting")
    assert (await until(next_host, "rev_1", "ready")).pid != left.pid


async def test_other_settings_are_another_process(open_host: Open, until: Until, tmp_path: Path) -> None:
    """A process whose launch differs from what is wanted is ended, not adopted."""
    host = await open_host()
    host.want(echo(tmp_path))
    left = await until(host, "rev_1", "ready")
    await host.aclose(keep_running=True)
    next_host = await open_host()
    next_host.want(echo(tmp_path, vector_size=8))
    assert (await until(next_host, "rev_1", "ready")).pid != left.pid
    await gone(left.pid)


async def test_a_stray_of_an_earlier_run_is_ended(open_host: Open, until: Until, tmp_path: Path) -> None:
    """Nobody wants the revision any more, so its process goes and its file too."""
    host = await open_host()
    host.want(echo(tmp_path))
    left = await until(host, "rev_1", "ready")
    await host.aclose(keep_running=True)
    next_host = await open_host()
    next_host.want({})
    await gone(left.pid)
    await next_host.aclose()
    assert not (tmp_path / "engines" / "rev_1.json").exists()


async def test_an_orphan_ends_itself(open_host: Open, until: Until, tmp_path: Path) -> None:
    """When nobody holds the owner's lock for the orphan time, the process leaves."""
    host = await open_host()
    host.want(echo(tmp_path))
    left = await until(host, "rev_1", "ready")
    await host.aclose(keep_running=True)
    await gone(left.pid)


async def test_a_new_owner_of_a_new_folder_is_not_ours(open_host: Open, until: Until, tmp_path: Path) -> None:
    """Should the data folder be removed and made anew, what belonged to the old one ends."""
    host = await open_host()
    host.want(echo(tmp_path))
    left = await until(host, "rev_1", "ready")
    await host.aclose(keep_running=True)
    shutil.rmtree(tmp_path / "engines")
    await open_host()
    await gone(left.pid)


async def test_a_retired_engine_finishes_its_request(open_host: Open, until: Until, tmp_path: Path, pool: Pool) -> None:
    """A stream under way ends well although the engine was told to end."""
    host = await open_host()
    host.want(echo(tmp_path))
    state = await until(host, "rev_1", "ready")
    assert state.endpoint is not None
    messages = b'[{"role":"user","content":"[[token_ms=60]] one two three four five"}]'
    body = b'{"model":"echo","stream":true,"messages":%b}' % messages
    reply = await pool.send(state.endpoint, "POST", "/chat/completions", body)
    await reply.begin()
    host.want({})
    assert (await reply.read(100_000)).rstrip().endswith(b"data: [DONE]")
    await gone(state.pid)
    assert host.state("rev_1").phase == "stopped"


async def begin_endless(host: ProcessHost, pool: Pool) -> None:
    """Begin a stream that says one token and then nothing more."""
    endpoint = host.state("rev_1").endpoint
    assert endpoint is not None
    messages = b'[{"role":"user","content":"[[stall_after=1]] one two"}]'
    reply = await pool.send(
        endpoint, "POST", "/chat/completions", b'{"model":"echo","stream":true,"messages":%b}' % messages
    )
    await reply.begin()


async def test_a_request_that_outlasts_the_drain_is_cut(
    open_host: Open, until: Until, tmp_path: Path, pool: Pool
) -> None:
    """How long the process may take is the revision's own; then it ends whatever is under way."""
    host = await open_host()
    order, launch = echo(tmp_path)["rev_1"]
    host.want({"rev_1": (replace(order, scaling=Scaling(drain_s=1)), launch)})
    state = await until(host, "rev_1", "ready")
    await begin_endless(host, pool)
    host.want({})
    await gone(state.pid)


async def test_a_host_that_closes_waits_no_longer_than_its_own_patience(
    open_host: Open, until: Until, tmp_path: Path, pool: Pool
) -> None:
    """However long the revision's replicas may drain otherwise."""
    host = await open_host()
    host.want(echo(tmp_path))
    state = await until(host, "rev_1", "ready")
    await begin_endless(host, pool)
    async with asyncio.timeout(30):
        await host.aclose()
    await gone(state.pid)


async def test_what_comes_while_the_one_before_drains_says_what_it_waits_for(
    open_host: Open, until: Until, tmp_path: Path, pool: Pool
) -> None:
    """The same revision wanted again has its reason in its state."""
    host = await open_host()
    host.want(echo(tmp_path))
    await until(host, "rev_1", "ready")
    await begin_endless(host, pool)
    host.want({})
    host.want(echo(tmp_path))
    assert host.state("rev_1").detail == "waits until the process before it has finished its requests"


async def test_a_broken_program_is_given_up_with_its_reason(open_host: Open, until: Until, tmp_path: Path) -> None:
    """After several failures the state says failed, and why, in the program's own words."""
    host = await open_host()
    order, launch = echo(tmp_path)["rev_1"]
    host.want({"rev_1": (order, replace(launch, argv=(*launch.argv[:3], "not json")))})
    state = await until(host, "rev_1", "failed")
    assert "the echo engine did not start" in state.detail


async def test_a_missing_program_is_named(open_host: Open, until: Until, tmp_path: Path) -> None:
    """A program that cannot be started is a reason, not a crash of the host."""
    host = await open_host()
    order, launch = echo(tmp_path)["rev_1"]
    host.want({"rev_1": (order, replace(launch, argv=("/nowhere/engine",)))})
    state = await until(host, "rev_1", "waiting")
    async with asyncio.timeout(30):
        while "cannot be started" not in (state := host.state("rev_1")).detail:
            await asyncio.sleep(0.01)
    assert "/nowhere/engine" in state.detail


async def test_a_folder_has_one_owner(open_host: Open) -> None:
    """A second host on the same folder is refused."""
    await open_host()
    with pytest.raises(SetupError, match="another Primeur"):
        await open_host()


async def test_a_silent_engine_is_replaced(open_host: Open, until: Until, tmp_path: Path, pool: Pool) -> None:
    """A process that lives and does not answer is ended and started again."""
    host = await open_host()
    host.want(echo(tmp_path))
    state = await until(host, "rev_1", "ready")
    await pool.aclose()
    os.kill(state.pid or 0, signal.SIGSTOP)
    assert state.endpoint is not None
    async with asyncio.timeout(60):
        while host.state("rev_1").pid == state.pid:
            await asyncio.sleep(0.02)
    assert (await until(host, "rev_1", "ready")).restarts == 1
    with pytest.raises(TargetFailed):
        await pool.send(state.endpoint, "GET", "/models")
