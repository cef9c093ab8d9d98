"""Replay single requests against a simulated holder, through the policy that production uses."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from primeur.broker.fluid import Supply
from primeur.broker.headroom import Capacity, Headroom
from primeur.broker.lengths import Lengths
from primeur.broker.placement import Candidate, Need, Outcome, Placement, Preference, Reason, Sharing, Shortlist
from primeur.broker.traces import MICROSECONDS, Trace

HOLDER, ELSEWHERE, BARRED = "holder", "elsewhere", "barred"
# An answer from elsewhere takes this long, and so does the next look at a holder that is down.
AWAY_US = 5 * MICROSECONDS
PROBE_US = 5 * MICROSECONDS
# A holder that answers 429 does so when this share of the patience is queued before it; the rest may pass at the gate.
THROTTLED_SHARE = 0.5
_REPORT_EVERY = 4096


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong during a replay.

    Attributes:
        outages_us: (start, end) of the holder's outages, sorted.
        late_us: how much later than it happened the end of an answer is reported.
        duplicate_every: each so many-th report and request comes twice; 0 is never.
        price_change_us: moment at which the others' prices change; None is never.
        throttles: the holder answers 429 with retry-after when its own window is full.
    """

    outages_us: tuple[tuple[int, int], ...] = ()
    late_us: int = 0
    duplicate_every: int = 0
    price_change_us: int | None = None
    throttles: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """The holder, and what is asked of it.

    Attributes:
        patience_us: a request must be done so long after its arrival.
        caution: see `Headroom`.
        dedicated_every: each so many-th request is for the holder only; 0 is none.
        right_until_us: when the right ends; None is never.
    """

    capacity: Capacity
    patience_us: int
    caution: float = 2.0
    dedicated_every: int = 0
    right_until_us: int | None = None
    faults: Faults = field(default_factory=Faults)


@dataclass
class Log:
    """What happened to each request.

    Attributes:
        final: the placement of each request, by its number; None is unanswered.
        late: requests that the holder finished after their time.
        twice: requests that were answered a second time.
    """

    final: list[Placement | None]
    late: list[int] = field(default_factory=list)
    twice: list[int] = field(default_factory=list)


class Replay:
    """One pass over a trace; the clock is the trace's."""

    def __init__(self, trace: Trace, scenario: Scenario) -> None:
        """Set up the world: the holder, a dearer provider with room for all, and a cheap one that is out of bounds."""
        self.trace, self.scenario, self.log = trace, scenario, Log([None] * len(trace))
        lengths = Lengths()
        capacity = scenario.capacity
        self.room = Headroom(capacity, lengths, scenario.caution)
        endless = Capacity(capacity.work_per_s * 1e9, capacity.window_s, capacity.output_weight)
        self.away_room = Headroom(endless, lengths, 0.0)
        self.work = trace.work(capacity.output_weight)
        self.supply = Supply(capacity.work_per_s / MICROSECONDS, scenario.faults.outages_us)
        self.free_us = 0.0
        self.reports: deque[tuple[float, int]] = deque()
        self.away: deque[tuple[int, int]] = deque()
        self.waiting: list[tuple[int, int]] = []
        self._offer(away_price=2)

    def _offer(self, away_price: int) -> None:
        """Compile the shortlists, as production does whenever something changes."""
        zone = frozenset({"home"})
        self.holder = Candidate(HOLDER, self.room, "home", price_nanos=1)
        away = Candidate(ELSEWHERE, self.away_room, "home", price_nanos=away_price)
        barred = Candidate(BARRED, self.away_room, "abroad")
        until = self.scenario.right_until_us
        preference = Preference(HOLDER) if until is None else Preference(HOLDER, 0, until)
        everyone = (self.holder, away, barred)
        self.spill = Shortlist(Need(zones=zone), everyone, preference)
        self.dedicated = Shortlist(Need(zones=zone, sharing=Sharing.DEDICATED), everyone, preference)

    def run(self, tell: Callable[[int], object] | None = None) -> Log:
        """Replay the whole trace; *tell* is given the count of requests from time to time."""
        plain = self.scenario.faults == Faults() and not self.scenario.dedicated_every
        for start in range(0, len(self.trace), _REPORT_EVERY):
            stop = min(len(self.trace), start + _REPORT_EVERY)
            if plain:
                self._run_plain(start, stop)
            else:
                self._run_faulty(start, stop)
            if tell is not None:
                tell(stop)
        while self.waiting:
            self._decide(*heappop(self.waiting))
        return self.log

    def _run_plain(self, start: int, stop: int) -> None:
        """The event loop for the holder that takes everything; its few names are local because they are hot."""
        place, settle, holder = self.spill.place, self.room.settle, self.holder
        settle_away = self.away_room.settle
        reports, away, work, outputs = self.reports, self.away, self.work, self.trace.output_tokens
        final, patience = self.log.final, self.scenario.patience_us
        per_us, free_us = self.supply.work_per_us, self.free_us
        arrivals, inputs = self.trace.arrivals_us[start:stop], self.trace.input_tokens[start:stop]
        for request, (now_us, tokens) in enumerate(zip(arrivals, inputs, strict=True), start):
            while reports and reports[0][0] <= now_us:
                done_us, done = reports.popleft()
                settle(done_us, done, outputs[done])
            while away and away[0][0] <= now_us:
                returned_us, returned = away.popleft()
                settle_away(returned_us, returned, outputs[returned])
            placement = place(now_us, request, tokens, patience)
            final[request] = placement
            if placement.target is not holder:
                away.append((now_us + AWAY_US, request))
                continue
            if free_us < now_us:  # noqa: PLR1730 - this runs for every request, and a call to max() is dearer
                free_us = now_us
            free_us += work[request] / per_us
            if free_us > now_us + patience:
                self.log.late.append(request)
            reports.append((free_us, request))
        self.free_us = free_us

    def _run_faulty(self, start: int, stop: int) -> None:
        for request in range(start, stop):
            now_us = self.trace.arrivals_us[request]
            while self.waiting and self.waiting[0][0] <= now_us:
                self._decide(*heappop(self.waiting))
            self._decide(now_us, request)

    def _decide(self, now_us: int, request: int) -> None:
        """Let the policy place one request, with everything that is known by now."""
        self._tick(now_us)
        every = self.scenario.dedicated_every
        shortlist = self.dedicated if every and request % every == 0 else self.spill
        tokens = self.trace.input_tokens[request]
        slack_us = self.trace.arrivals_us[request] + self.scenario.patience_us - now_us
        placement = shortlist.place(now_us, request, tokens, slack_us)
        if placement.target is self.holder and self._holder_refuses(now_us, request):
            placement = shortlist.place(now_us, request, tokens, slack_us)
        if placement.outcome is Outcome.WAIT:
            heappush(self.waiting, (now_us + placement.retry_after_ms * 1000, request))
            return
        if self.log.final[request] is not None:
            self.log.twice.append(request)
        self.log.final[request] = placement
        if placement.target is self.holder:
            self._serve(now_us, request)
        elif placement.target is not None:
            self.away.append((now_us + AWAY_US, request))

    def _serve(self, now_us: int, request: int) -> None:
        start_us = max(self.free_us, now_us)
        worked_us = self.supply.worked_us(start_us) + self.work[request] / self.supply.work_per_us
        self.free_us = self.supply.moment_us(worked_us)
        if self.free_us > self.trace.arrivals_us[request] + self.scenario.patience_us:
            self.log.late.append(request)
        self.reports.append((self.free_us, request))

    def _holder_refuses(self, now_us: int, request: int) -> bool:
        """Say whether the holder itself turns a request down, and tell the policy as its answer would."""
        full_us = self.free_us - now_us - self.scenario.patience_us * THROTTLED_SHARE
        if any(start <= now_us < end for start, end in self.scenario.faults.outages_us):
            self.room.close(now_us + PROBE_US, Reason.OUTAGE)
        elif self.scenario.faults.throttles and full_us > 0:
            self.room.close(now_us + max(1000, round(full_us)), Reason.THROTTLED)
        else:
            return False
        self.room.drop(now_us, request)
        return True

    def _tick(self, now_us: int) -> None:
        """Tell the policy what has become known by now."""
        faults, outputs = self.scenario.faults, self.trace.output_tokens
        if faults.price_change_us is not None and now_us >= faults.price_change_us:
            self.scenario = replace(self.scenario, faults=replace(faults, price_change_us=None))
            self._offer(away_price=0)
        while self.reports and self.reports[0][0] + faults.late_us <= now_us:
            done_us, done = self.reports.popleft()
            self.room.settle(round(done_us) + faults.late_us, done, outputs[done])
            if faults.duplicate_every and done % faults.duplicate_every == 0:
                self.room.settle(round(done_us) + faults.late_us, done, outputs[done])
        while self.away and self.away[0][0] <= now_us:
            self._return(*self.away.popleft())

    def _return(self, at_us: int, request: int) -> None:
        self.away_room.settle(at_us, request, self.trace.output_tokens[request])
