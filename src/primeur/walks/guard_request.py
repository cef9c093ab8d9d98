"""Let a deployment's guard look at a request and its answer, and write down what it decided."""

import asyncio
from collections.abc import AsyncIterator
from contextvars import copy_context
from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Deployment, Translation
from primeur.core.errors import BadRequest
from primeur.core.events import GuardDecided
from primeur.core.guards import AnswerGuard, Verdict
from primeur.core.reading import NOT_JSON
from primeur.registry.observation_rows import GUARDED, Fault
from primeur.store.database import Tx, tell
from primeur.store.origin import ORIGIN, Origin
from primeur.trust.tally import tally
from primeur.trust.texts import Blocked
from primeur.walks.choose_project import actor_of
from primeur.walks.fetch_images import fetch_images
from primeur.walks.house import House

_telling: set[asyncio.Task[None]] = set()


class Looked(Translation):
    """A translation whose answer a guard looks at."""

    def __init__(self, inner: Translation | None, guard: AnswerGuard) -> None:
        """*inner*: what the answer goes through first; None: it comes as it is."""
        self._inner, self._guard = inner, guard

    @property
    def body(self) -> bytes:
        """As the inner one's."""
        return self._inner.body if self._inner else b""

    def piece(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """See `Translation`."""
        pieces = self._inner.piece(data) if self._inner else [data]
        return [found for one in pieces for found in self._guard.piece(one)]

    def finish(self) -> list[dict[str, Any]]:
        """See `Translation`."""
        pieces = self._inner.finish() if self._inner else []
        return [found for one in pieces for found in self._guard.piece(one)] + self._guard.finish()


class Guarding:
    """One request at the guard of its deployment."""

    def __init__(self, house: House, caller: Caller, ask: Ask, deployment: Deployment) -> None:
        """Of a deployment with a guard or without."""
        self._house, self._caller, self._ask, self._deployment = house, caller, ask, deployment
        self._answer: AnswerGuard | None = None
        self.verdicts: list[Verdict] = []

    async def let_through(self) -> Ask:
        """Give the ask as its target may read it: images brought here, and masked.

        Raises:
            BadRequest: the guard does not let it pass, or an image cannot be had.
        """
        guard = self._deployment.guard
        ask = await fetch_images(self._house, self._ask, "fetch" if guard is None else guard.images)
        if guard is None:
            return ask
        try:
            body, self.verdicts = guard.prompt(ask.body)
        except Blocked as blocked:
            self.verdicts = blocked.verdicts
            await self._tell(self.verdicts, "")
            raise
        await self._tell(self.verdicts, "")
        if body is ask.body:
            return ask
        return msgspec.structs.replace(ask, body=body, fields=msgspec.json.decode(body, type=type(ask.fields)))

    def passes(self) -> bool:
        """Whether the ask may go on as it is, with nothing to tell of it; anything else is for `let_through`."""
        guard = self._deployment.guard
        if guard is None:
            return True
        try:
            body, verdicts = guard.prompt(self._ask.body)
        except (BadRequest, *NOT_JSON):
            return False
        return body is self._ask.body and not verdicts

    def look_at(self, translation: Translation | None) -> Translation | None:
        """Give the translation of an answer, with the guard behind it where it looks at answers."""
        guard = self._deployment.guard
        self._answer = None if guard is None else guard.answer(streams=self._ask.streams)
        return translation if self._answer is None else Looked(translation, self._answer)

    async def tell_answer(self, revision_id: str) -> None:
        """Write down what was found in the answer that a revision gave; whoever judges the revision counts it."""
        telling = self.tell_soon(revision_id)
        if telling is not None:
            await asyncio.shield(telling)

    def tell_soon(self, revision_id: str) -> asyncio.Task[None] | None:
        """As `tell_answer`, for those who do not wait for it."""
        found = [] if self._answer is None else self._answer.verdicts
        if not found:
            return None
        self.verdicts = [*self.verdicts, *found]
        self._house.board.faults.append(Fault(self._ask.id, revision_id, self._house.clock.now_ms(), GUARDED))
        # A caller who hangs up does not keep it from being written down.
        context = copy_context()
        # On the short way nobody has said yet where this comes from.
        context.run(ORIGIN.set, Origin(self._ask.address, self._ask.id, self._caller.organisation_id))
        task = asyncio.get_running_loop().create_task(self._tell(found, revision_id), context=context)
        _telling.add(task)
        task.add_done_callback(_telling.discard)
        return task

    async def told(self, events: AsyncIterator[bytes], revision_id: str) -> AsyncIterator[bytes]:
        """Pass a stream on, and write down at its end what was found in it."""
        try:
            async for piece in events:
                yield piece
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()
            await self.tell_answer(revision_id)

    async def _tell(self, found: list[Verdict], revision_id: str) -> None:
        if not found:
            return
        name, caller = self._deployment.name, self._caller
        tally.count(name, found)
        rules: dict[str, int] = {}
        for one in found:
            rules[one.rule] = rules.get(one.rule, 0) + one.count
        decision = max((one.action for one in found), key=("allow", "mask", "block").index)
        event = GuardDecided(name, found[0].stage, decision, rules, caller.project_id, revision_id)
        now_ms = self._house.clock.now_ms()

        def work(tx: Tx) -> None:
            tell(tx, event, actor=actor_of(caller), at_ms=now_ms)

        await self._house.store.transact_together(work)
