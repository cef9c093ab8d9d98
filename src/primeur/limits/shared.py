"""Limits that several processes share: each lives on slices, and asks the keeper of all counts for more.

The hot path only looks at slices. Whoever finds one used up waits while a round of claims goes to the keeper; all who
wait share it. A slice that is not used goes back, at once when somebody else is hungry for it, so that N processes
together let through exactly the limit.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from primeur.core.caller import Gate, Limits
from primeur.core.errors import NotReady, SliceSpent
from primeur.core.ports import Clock, Hold, Reservation
from primeur.core.usage import Taken
from primeur.limits.lane import Bound, Counter, CounterLane, bind
from primeur.limits.memory import Books, MemoryLimiter
from primeur.limits.names import MONEY, REQUESTS_DAY, RESERVED, TOKENS_DAY, Name
from primeur.limits.reservation import SharedReservation
from primeur.limits.slice_counter import SliceCounter
from primeur.limits.slices import CALENDAR, HOLDER_LIFE_MS, Claim, Grant, Keeper

COUNTERS_LIMIT = 200_000
FLUSH_S = 0.05
_AGAIN_S = 0.02
_LOST_S = 0.5
# Whoever says nothing for a holder's life is forgotten, with its requests in flight.
_BEAT_S = HOLDER_LIFE_MS / 4000
_log = logging.getLogger("primeur.limits")


class SharedLane(CounterLane):
    """A lane on slices; while the keeper is lost, one on this process's share of the limits."""

    __slots__ = ("_gates", "_limiter", "_spare", "_spare_of")

    def __init__(self, limiter: "SharedLimiter", gates: tuple[Gate, ...], bound: Bound) -> None:
        """*bound*: see `primeur.limits.lane.bind`."""
        super().__init__(*bound)
        self._limiter, self._gates = limiter, gates
        self._spare: CounterLane | None = None
        self._spare_of: MemoryLimiter | None = None

    def reserve(self, tokens: int, cost_nanos: int | None, now_ms: int) -> Hold:
        """See the port."""
        spare = self._limiter.spare
        if spare is not None:
            if self._spare is None or self._spare_of is not spare:
                shares = tuple(map(self._limiter.share_of, self._gates))
                self._spare, self._spare_of = spare.lane(shares, self.currency), spare
            return self._spare.reserve(tokens, cost_nanos, now_ms)
        return super().reserve(tokens, cost_nanos, now_ms)

    def settle(self, hold: Hold, tokens: int, cost_nanos: int | None, now_ms: int) -> None:
        """See the port."""
        super().settle(hold, tokens, cost_nanos, now_ms)
        self._limiter.touch(self)


class SharedLimiter:
    """Implements `primeur.core.ports.Limiter` for one of several processes.

    Attributes:
        spare: this process's share of the limits, while the keeper is lost and the settings allow it.
        touched: lanes that settled something since the keeper was told.
        holder: names this process among all.
        shares_when_lost: as told.
        lost_count: how often the keeper was lost.
    """

    def __init__(
        self, clock: Clock, keeper: Keeper, holder: str, books: Books, *, shares_when_lost: bool = False
    ) -> None:
        """Nothing is asked before `run`.

        Args:
            holder: names this process among all.
            shares_when_lost: while the keeper is lost, give away one part in N of every limit; else nothing.
        """
        self._clock, self._keeper, self._books = clock, keeper, books
        self.holder, self.shares_when_lost = holder, shares_when_lost
        self._counters: dict[Name, SliceCounter] = {}
        self._active: set[SliceCounter] = set()
        self._flying: set[SliceCounter] = set()
        self._rests = False
        self._waiting: list[tuple[SliceSpent, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._holders = 1
        self._lost = ""
        self.spare: MemoryLimiter | None = None
        self.touched: set[SharedLane | SharedReservation] = set()
        self.lost_count = 0

    @property
    def lost(self) -> str:
        """Why the keeper cannot be reached; empty while it can."""
        return self._lost

    def lane(self, gates: tuple[Gate, ...], currency: str | None) -> SharedLane:
        """See the port."""
        return SharedLane(self, gates, bind(gates, currency, self._counter))

    def touch(self, lane: "SharedLane | SharedReservation") -> None:
        """Note that something was settled; the keeper hears of it with the next round."""
        self.touched.add(lane)
        if self._rests:
            self._wake.set()

    def reservation(self, scope: str, per_minute: int) -> SharedReservation:
        """See the port."""
        counter = self._counters.get(name := Name(scope, RESERVED))
        if counter is None:
            counter = self._counters[name] = SliceCounter(name, per_minute, self.holder)
        return SharedReservation(self, counter)

    async def refresh(self, reservations: Sequence[Reservation]) -> None:
        """See the port."""
        counters = [one.counters[0] for one in reservations if isinstance(one, SharedReservation)]
        if not counters or self._lost:
            return
        claims, sent_ms = [one.claim(0, 0) for one in counters], self._clock.now_ms()
        try:
            grants = await self._keeper.exchange(self.holder, claims)
        except OSError:
            for counter, claim in zip(counters, claims, strict=True):
                counter.take_back(claim)
            self._wake.set()
            return
        for counter, claim, grant in zip(counters, claims, grants, strict=True):
            counter.take(grant, claim.need, sent_ms, self._clock.now_ms())

    def part(self, limit: int) -> int:
        """Give one part in N of a limit."""
        return limit // self._holders

    async def fill(self, spent: SliceSpent) -> None:
        """See the port."""
        if self._lost and self.spare is None:
            raise NotReady(
                f"limits cannot be checked ({self._lost}); the settings say to let nothing in until they can"
            )
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((spent, future))
        self._wake.set()
        await future

    def forget_idle(self) -> None:
        """Drop counters that have nothing to say, when there are too many; call it between two snapshots."""
        if len(self._counters) > COUNTERS_LIMIT:
            self._counters = {name: one for name, one in self._counters.items() if one.is_dirty}

    def share_of(self, gate: Gate) -> Gate:
        """Give one part in N of what a gate allows; of what is counted by the calendar, of what was left."""

        def part(limit: int | None, kind: str = "") -> int | None:
            if limit is None:
                return None
            known = self._counters.get(Name(gate.scope, kind, "day")) if kind else None
            return (limit if known is None else min(limit, known.remains())) // self._holders

        limits, budgets = gate.limits, []
        for budget in gate.budgets:
            known = self._counters.get(Name(gate.scope, MONEY, budget.period, budget.id, budget.currency))
            left = 0 if known is None or known.unknown else min(budget.limit_nanos, known.remains())
            budgets.append(replace(budget, limit_nanos=left // self._holders))
        shares = Limits(
            part(limits.rpm), part(limits.tpm), part(limits.concurrency),
            part(limits.rpd, REQUESTS_DAY), part(limits.tpd, TOKENS_DAY),
        )  # fmt: skip
        return Gate(gate.scope, shares, tuple(budgets))

    # --- rounds -----------------------------------------------------------------------------------------------------

    async def run(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Go round until cancelled: claims to the keeper, grants to whoever waits.

        Args:
            told: called with the reason when the keeper is lost, and with nothing when it is found again.
        """
        while True:
            busy = bool(self._active or self.touched)
            self._rests = not busy
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOST_S if self._lost else FLUSH_S if busy else self._beat_s()):
                    await self._wake.wait()
            self._wake.clear()
            was = self._lost
            await self.round()
            if was != self._lost and bool(was) != bool(self._lost):
                told(self._lost)

    async def round(self) -> None:
        """One exchange with the keeper."""
        waiting, self._waiting = self._waiting, []
        needs = self._needs(waiting)
        counters = [*self._due(needs)]
        claims = [one.claim(*needs.get(one, (0, 0))) for one in counters]
        sent_ms = self._clock.now_ms()
        try:
            grants = await self._keeper.exchange(self.holder, claims)
        except OSError as error:
            for counter, claim in zip(counters, claims, strict=True):
                counter.take_back(claim)
            self._lose(str(error))
            self._release(waiting)
            return
        self._find()
        again = await self._take(counters, claims, grants, sent_ms)
        delay_s = _AGAIN_S if again else 0
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._release, waiting)
        else:
            self._release(waiting)

    async def aclose(self) -> None:
        """Give everything back."""
        for counter in self._counters.values():
            counter.turn(self._clock.now_ms())
        self._active.update(one for one in self._counters.values() if one.is_dirty)
        with suppress(OSError):
            await self._keeper.exchange(self.holder, [one.claim(0, 0) for one in self._active])
            await self._keeper.leave(self.holder)
        await self._keeper.aclose()

    def _counter(self, name: Name, limit: int) -> Counter:
        found = self._counters.get(name)
        if found is None:
            found = self._counters[name] = SliceCounter(name, limit, self.holder)
        elif found.limit != limit:
            found.resize(limit)
        return found

    def _needs(self, waiting: list[tuple[SliceSpent, asyncio.Future[None]]]) -> dict[SliceCounter, tuple[int, int]]:
        """What the waiting lack: of each counter the least that helps somebody, and what would help all."""
        now_ms, needs = self._clock.now_ms(), dict[SliceCounter, tuple[int, int]]()
        for spent, _ in waiting:
            for counter, need in spent.lane.needs(spent.tokens, spent.cost_nanos):
                if now_ms >= counter.turn_ms:
                    counter.turn(now_ms)
                if counter.left < need and counter.may_fill(need, now_ms):
                    least, demand = needs.get(counter, (need, 0))
                    needs[counter] = min(least, need), demand + need
        return needs

    def _beat_s(self) -> float | None:
        """Seconds after which the keeper must hear something although there is nothing to say."""
        self._flying = {one for one in self._flying if one.is_in_flight}
        return _BEAT_S if self._flying else None

    def _due(self, needs: dict[SliceCounter, tuple[int, int]]) -> set[SliceCounter]:
        for lane in self.touched:
            self._active.update(one for one in lane.counters if isinstance(one, SliceCounter))
        self.touched.clear()
        now_ms = self._clock.now_ms()
        for counter in self._active:
            if now_ms >= counter.turn_ms:
                counter.turn(now_ms)
        self._flying.update(one for one in self._active if one.is_in_flight)
        self._active = {one for one in self._active if one.is_dirty}
        return self._active | needs.keys()

    async def _take(self, counters: list[SliceCounter], claims: list[Claim], grants: list[Grant], sent_ms: int) -> bool:
        """Take what was granted; gives whether somebody waits for what others hold."""
        now_ms, again = self._clock.now_ms(), False
        unknown: list[SliceCounter] = []
        for counter, claim, grant in zip(counters, claims, grants, strict=True):
            self._holders = max(1, grant.holders)
            more = counter.take(grant, claim.need, sent_ms, now_ms)
            if counter.unknown:
                unknown.append(counter)
            else:
                again = again or more
        self._active.update(counters)
        await self._learn(unknown)
        return again

    async def _learn(self, counters: list[SliceCounter]) -> None:
        """Ask the books for what the keeper does not know."""
        if counters:
            asked = [Taken(one.name.scope, one.name.kind, one.name.currency, one.from_ms) for one in counters]
            for counter, question, used in zip(counters, asked, await self._books(asked), strict=True):
                if counter.from_ms == question.from_ms:
                    counter.floor = used

    @staticmethod
    def _release(waiting: list[tuple[SliceSpent, asyncio.Future[None]]]) -> None:
        for _, future in waiting:
            if not future.done():
                future.set_result(None)

    def _lose(self, reason: str) -> None:
        if not self._lost:
            self.lost_count += 1
            _log.error("shared limits are lost: %s", reason)
            if self.shares_when_lost:
                self.spare = MemoryLimiter(self._clock)
        self._lost = reason or "no answer"

    def _find(self) -> None:
        if not self._lost:
            return
        _log.warning("shared limits are found again")
        self._lost = ""
        spare, self.spare = self.spare, None
        for name, used in spare.used() if spare is not None else ():
            counter = self._counters.get(name)
            if counter is not None and counter.way == CALENDAR and used:
                counter.owe(used)
                self._active.add(counter)
