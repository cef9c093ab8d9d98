"""Keeps one revision's process running: starts or adopts it, probes it, restarts it with back-off, drains it."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from primeur.core.chat import Endpoint
from primeur.core.engine import (
    ENGINE,
    FAILURES_UNTIL_FAILED,
    READY,
    STARTING,
    WAITING,
    is_stable,
    restart_delay_s,
)
from primeur.core.errors import TargetFailed
from primeur.core.ports import Clock, EngineOrder, EngineState, Launch, Relay
from primeur.engines import spawn
from primeur.engines.logs import bound_log, last_words
from primeur.engines.papers import Papers, digest_launch, find_papers, keep_papers

MAX_HEALTH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the host is, in seconds.

    Attributes:
        silent_probes: probes in a row without an answer before a process that serves is taken for hung.
        settle_s: between the moment a process gets no new requests and the moment it is told to end.
        grace_s: what all processes may still take to finish their requests when the host closes; how long one may take
            that is not wanted any more, its revision says (`Scaling.drain_s`).
        most_delay_s, most_delay_served_s: longest wait for a process that never got ready, and for one that did:
            weights that cannot be loaded will not be loaded sooner, but people wait for one that was killed.
        stable_s: serving for so long forgives earlier failures.
        orphan_s: what a process waits for an owner before it ends itself.
    """

    load_probe_s: float = 0.1
    load_limit_s: float = 1800.0
    probe_s: float = 3.0
    probe_limit_s: float = 10.0
    silent_probes: int = 6
    settle_s: float = 0.5
    grace_s: float = 30.0
    first_delay_s: float = 0.25
    most_delay_s: float = 60.0
    most_delay_served_s: float = 2.0
    stable_s: float = 10.0
    orphan_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every keeper is handed.

    Attributes:
        folder: where papers and the owner's lock file lie.
        changed: called whenever a state that readers care about has changed.
    """

    clock: Clock
    relay: Relay
    folder: Path
    owner: Path
    pace: Pace
    changed: Callable[[], None]

    def papers_of(self, revision_id: str) -> Path:
        """Where a revision's papers lie."""
        return self.folder / f"{revision_id}.json"


class _Broke(Exception):
    """The process ended or hung; the message is the reason."""


class Keeper:
    """One revision's process, kept running until `retire`."""

    def __init__(self, order: EngineOrder, launch: Launch, shop: Workshop) -> None:
        """Starts nothing yet; `run` does."""
        self.order, self.launch, self.shop = order, launch, shop
        self.digest = digest_launch(launch)
        self.child: spawn.Child | None = None
        self.state = EngineState(WAITING, "about to start", context_tokens=launch.context_tokens)

    async def run(self) -> None:
        """Keep the process running, for ever; cancelling leaves the process as it is."""
        failures = 0
        self.child = await self._adopt()
        while True:
            since = self.shop.clock.monotonic_us()
            try:
                await self._serve()
            except _Broke as broke:
                lived_s = (self.shop.clock.monotonic_us() - since) / 1e6
                failures = 1 if is_stable(lived_s, self.shop.pace.stable_s) else failures + 1
                await self._back_off(str(broke), failures, served=self.state.phase == READY)

    async def retire(self) -> None:
        """Let the process finish its requests, then end it; its papers go too."""
        child, papers = self.child, find_papers(self.shop.papers_of(self.order.revision_id))
        if child is None and papers is not None:
            # Retired before it could look at what an earlier run had left.
            await end_process(papers.child, papers.grace_s)
        elif child is not None:
            self._move("drain", "finishing its requests")
            await asyncio.sleep(self.shop.pace.settle_s)
            await end_process(child, self.order.scaling.drain_s)
        self._move("stop", "")
        self.shop.papers_of(self.order.revision_id).unlink(missing_ok=True)

    async def _adopt(self) -> spawn.Child | None:
        """Take over a process of an earlier run, if it is the same program and answers to its key."""
        papers = find_papers(self.shop.papers_of(self.order.revision_id))
        if papers is None:
            return None
        child = papers.child
        if papers.digest == self.digest and spawn.is_alive(child) and await self._answers_to_key(child):
            return child
        await end_process(child, 1.0)
        return None

    async def _answers_to_key(self, child: spawn.Child) -> bool:
        health, models = await self._ask(child, self.launch.health_path), await self._ask(child, "/v1/models")
        return health in {200, 503} and models is not None and models not in {401, 403}

    def _start(self) -> spawn.Child:
        port, secret, grace_s = spawn.free_port(), spawn.new_secret(), self.order.scaling.drain_s
        environment = {**os.environ, **self.launch.environment}
        environment |= {
            "PRIMEUR_ENGINE_PORT": str(port),
            "PRIMEUR_ENGINE_KEY": secret,
            "PRIMEUR_ENGINE_OWNER": str(self.shop.owner),
            "PRIMEUR_ENGINE_ORPHAN_S": str(self.shop.pace.orphan_s),
            "PRIMEUR_ENGINE_GRACE_S": str(grace_s),
        }
        try:
            pid = spawn.start(self.launch.argv, environment, self.order.log_path)
        except OSError as error:
            raise _Broke(f"{self.launch.argv[0]} cannot be started: {error.strerror or error}") from None
        child = spawn.Child(pid, spawn.started_ticks(pid), port, secret)
        papers = Papers(pid, child.started_ticks, port, secret, self.digest, self.shop.clock.now_ms(), grace_s)
        keep_papers(self.shop.papers_of(self.order.revision_id), papers)
        return child

    async def _serve(self) -> None:
        """Start if need be, and probe until the process breaks.

        Raises:
            _Broke: always, sooner or later.
        """
        self._move("start", "starting", restarts=self.state.restarts)
        if self.child is None:
            self.child = self._start()
        child = self.child
        over = asyncio.create_task(spawn.ended(child))
        try:
            await self._until_ready(child, over)
            await self._while_ready(child, over)
        finally:
            over.cancel()

    async def _until_ready(self, child: spawn.Child, over: asyncio.Task[str]) -> None:
        pace, began_us = self.shop.pace, self.shop.clock.monotonic_us()
        self._tell(pid=child.pid)
        while (status := await self._ask(child, self.launch.health_path)) != 200:
            if status is not None and self.state.phase == STARTING:
                self._move("load", self._progress(child))
            elif status is not None:
                self._tell(detail=self._progress(child))
            if (self.shop.clock.monotonic_us() - began_us) / 1e6 > pace.load_limit_s:
                await end_process(child, 0.0)
                raise _Broke(f"not ready after {pace.load_limit_s:.0f} s")
            await self._pause(over, pace.load_probe_s)
        memory_bytes, shared_bytes = spawn.memory_of(child.pid)
        held = {"memory_bytes": memory_bytes, "shared_bytes": shared_bytes}
        self._move("serve", "", endpoint=self._endpoint(child), **held)

    async def _while_ready(self, child: spawn.Child, over: asyncio.Task[str]) -> None:
        silent = 0
        while True:
            await self._pause(over, self.shop.pace.probe_s)
            silent = 0 if await self._ask(child, self.launch.health_path) == 200 else silent + 1
            if silent >= self.shop.pace.silent_probes:
                await end_process(child, 0.0)
                raise _Broke(f"it did not answer {silent} health probes")
            # Memory alone is no news for the readers of the snapshot.
            memory_bytes, shared_bytes = spawn.memory_of(child.pid)
            self.state = replace(self.state, memory_bytes=memory_bytes, shared_bytes=shared_bytes)
            bound_log(self.order.log_path)

    async def _pause(self, over: asyncio.Task[str], seconds: float) -> None:
        """Wait, or raise at once when the process ends meanwhile."""
        done, _ = await asyncio.wait([over], timeout=seconds)
        if done:
            reason = last_words(self.order.log_path)
            raise _Broke(f"{over.result()}: {reason}" if reason else over.result())

    async def _back_off(self, reason: str, failures: int, *, served: bool) -> None:
        self.child = None
        pace = self.shop.pace
        most_s = pace.most_delay_served_s if served else pace.most_delay_s
        delay_s = restart_delay_s(failures, pace.first_delay_s, most_s)
        detail = f"restarts in {delay_s:.3g} s: {reason}"
        self._move("break", detail, endpoint=None, pid=None, memory_bytes=None, restarts=self.state.restarts + 1)
        if failures >= FAILURES_UNTIL_FAILED and not served:
            self._move(
                "give_up", f"broke {failures} times in a row, {detail}; `primeur deployments logs` shows what it said"
            )
        await asyncio.sleep(delay_s)

    def _progress(self, child: spawn.Child) -> str:
        weights, (resident, _) = self.order.weights, spawn.memory_of(child.pid)
        if weights is None or not resident or not weights.is_file():
            return "loading"
        return f"loading weights {min(99, 100 * resident // max(weights.stat().st_size, 1))} %"

    def _endpoint(self, child: spawn.Child, prefix: str | None = None, silence_s: float = 300.0) -> Endpoint:
        return Endpoint(
            scheme="http",
            host="127.0.0.1",
            port=child.port,
            prefix=self.launch.prefix if prefix is None else prefix,
            headers=((b"authorization", b"Bearer " + child.secret.encode()),),
            silence_timeout_s=silence_s,
            reach="ours",
        )

    async def _ask(self, child: spawn.Child, path: str) -> int | None:
        """Status that the process answers on *path*; None when it does not answer."""
        limit_s = self.shop.pace.probe_limit_s
        # A probe does not stay connected: a kept connection may cost the engine a thread.
        headers = [(b"connection", b"close")]
        try:
            async with asyncio.timeout(limit_s):
                reply = await self.shop.relay.send(self._endpoint(child, "", limit_s), "GET", path, b"", headers)
                try:
                    await reply.read(MAX_HEALTH_BYTES)
                finally:
                    reply.close()
        except (TargetFailed, TimeoutError):
            return None
        return reply.status

    def _move(self, move: str, detail: str, **changes: object) -> None:
        phase = ENGINE.after(self.state.phase, move)
        self._tell(phase=phase, detail=detail, **changes)

    def _tell(self, **changes: object) -> None:
        fresh = replace(self.state, **changes)  # type: ignore[arg-type] # fields of EngineState, by name
        if fresh != self.state:
            self.state = fresh
            self.shop.changed()


async def end_process(child: spawn.Child, grace_s: float) -> None:
    """Ask the process to end, and make it end when it has not done so after *grace_s* seconds, or on cancelling."""
    # The wait is begun first: a process that is gone already needs nothing but its exit status read.
    over = asyncio.create_task(spawn.ended(child))
    if grace_s > 0:
        spawn.send_signal(child, signal.SIGTERM)
        try:
            await asyncio.wait([over], timeout=grace_s)
        except asyncio.CancelledError:
            spawn.kill(child)
            raise
    spawn.kill(child)
    await asyncio.wait([over], timeout=5.0)
    over.cancel()
