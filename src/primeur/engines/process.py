"""The engine host of one machine: engines as supervised child processes that outlive a crash of ours for a minute."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from primeur.core.engine import STOPPED
from primeur.core.errors import SetupError
from primeur.core.ports import Clock, EngineOrder, EngineState, Launch, Relay
from primeur.engines.keeper import Keeper, Pace, Workshop, end_process
from primeur.engines.logs import forget_logs
from primeur.engines.papers import digest_launch, find_papers

NOT_WANTED = EngineState(STOPPED)
LOCK_TRIES = 20
LOCK_TRY_S = 0.05


class ProcessHost:
    """Runs engines as child processes; fits `primeur.core.ports.EngineHost`.

    It holds the lock of ``FOLDER/owner.lock`` while it lives, which is how the processes know that they have an owner.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        relay: Relay,
        changed: Callable[[], None] = lambda: None,
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        """Open *folder* (made if missing); starts nothing before `want`.

        Args:
            changed: called whenever an engine's phase, reason or endpoint has changed.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = folder / "owner.lock"
        self._shop = Workshop(clock, relay, folder, owner, pace, changed)
        self._lock: int | None = os.open(owner, os.O_RDWR | os.O_CREAT, 0o600)
        self._keepers: dict[str, Keeper] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._retiring: dict[str, asyncio.Task[None]] = {}
        self._strays: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Become the owner of the folder's engines.

        Raises:
            SetupError: another Primeur owns them.
        """
        for _ in range(LOCK_TRIES):
            # Engines look at the lock for a moment now and then; that is no owner.
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._held(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            await asyncio.sleep(LOCK_TRY_S)
        folder = self._shop.folder
        raise SetupError(f"another Primeur runs the engines of {folder}; stop it or choose another --data-dir")

    def _held(self) -> int:
        if self._lock is None:
            raise SetupError(f"the engine host of {self._shop.folder} is closed")
        return self._lock

    def want(self, launches: Mapping[str, tuple[EngineOrder, Launch]]) -> None:
        """Say which revisions should run, by id; drains and stops what is not named. Returns at once.

        The first call must name everything that should run: processes of an earlier run that it does not name end.
        """
        self._held()
        for revision_id, keeper in list(self._keepers.items()):
            wanted = launches.get(revision_id)
            if wanted is None or digest_launch(wanted[1]) != keeper.digest:
                self._retire(revision_id)
        if self._strays is None:
            self._strays = asyncio.create_task(self._end_strays(frozenset(launches)))
        for revision_id, (order, launch) in launches.items():
            if revision_id not in self._keepers:
                self._keep(revision_id, order, launch)

    def state(self, revision_id: str) -> EngineState:
        """Tell how a revision's process is doing."""
        keeper = self._keepers.get(revision_id)
        return NOT_WANTED if keeper is None else keeper.state

    async def aclose(self, *, keep_running: bool = False) -> None:
        """Stop every process, or leave them to be adopted by the next start."""
        if self._lock is None:
            return
        for revision_id in list(self._keepers):
            if keep_running:
                self._running.pop(revision_id).cancel()
                del self._keepers[revision_id]
            else:
                self._retire(revision_id)
        left = [*self._retiring.values(), *([self._strays] if self._strays else [])]
        if left:
            _, late = await asyncio.wait(left, timeout=self._shop.pace.grace_s)
            for task in late:
                task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        os.close(self._lock)
        self._lock = None

    def _keep(self, revision_id: str, order: EngineOrder, launch: Launch) -> None:
        keeper = Keeper(order, launch, self._shop)
        self._keepers[revision_id], before = keeper, self._retiring.get(revision_id)
        if before is not None:
            keeper.state = replace(keeper.state, detail="waits until the process before it has finished its requests")
        self._running[revision_id] = asyncio.create_task(self._run(keeper, before))

    async def _run(self, keeper: Keeper, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            # The same revision with another launch: its papers and its memory must be free first.
            await asyncio.wait([before])
        try:
            await keeper.run()
        except Exception as error:  # a fault of ours must be seen in the state, not lost in a task
            keeper.state = replace(keeper.state, detail=f"the supervisor failed: {error!r}")
            self._shop.changed()
            raise

    def _retire(self, revision_id: str) -> None:
        keeper, running = self._keepers.pop(revision_id), self._running.pop(revision_id)
        running.cancel()
        task = asyncio.create_task(self._retired(keeper, running))
        self._retiring[revision_id] = task
        task.add_done_callback(lambda done: self._forget(revision_id, done))

    async def _retired(self, keeper: Keeper, running: asyncio.Task[None]) -> None:
        await asyncio.wait([running])
        await keeper.retire()
        forget_logs(self._shop.folder, {*self._keepers, *self._retiring})

    def _forget(self, revision_id: str, task: asyncio.Task[None]) -> None:
        if self._retiring.get(revision_id) is task:
            del self._retiring[revision_id]

    async def _end_strays(self, wanted: frozenset[str]) -> None:
        """End processes of an earlier run that nobody wants any more."""
        strays = [path for path in self._shop.folder.glob("*.json") if path.stem not in wanted]
        await asyncio.gather(*(_end_stray(path) for path in strays))


async def _end_stray(path: Path) -> None:
    papers = find_papers(path)
    if papers is not None:
        await end_process(papers.child, papers.grace_s)
    path.unlink(missing_ok=True)  # noqa: ASYNC240 (one small file)
