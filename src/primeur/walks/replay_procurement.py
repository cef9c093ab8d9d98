"""Replay procurement day by day: production's buying policy and papers, a simulated holder and third party."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from primeur.broker.book import Book, at
from primeur.broker.buying import Market, Trust, units_to_hold, widen
from primeur.broker.commands import (
    Answer,
    AnswerOffer,
    CancelRequest,
    CloseOffer,
    Command,
    CommitThird,
    GiveBack,
    OpenRequest,
    ReceiveNotice,
    SendOffer,
    WithdrawOffer,
)
from primeur.broker.dealings import tell
from primeur.broker.papers import OfferState
from primeur.broker.rights import DAY_MS, Mode
from primeur.broker.terms import Terms, hash_terms
from primeur.core.errors import Conflict
from primeur.core.money import NANOS
from primeur.walks.plan_procurement import HOLDER, ORIGIN_MS, THIRD, Plan

WINDOW_MS, DAY_WINDOWS, WINDOW_HOURS = 600_000, 144, 1 / 6


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the trace: unit-hours wanted, what was paid, and units under way."""

    wanted: float
    committed_cost: float
    on_demand_cost: float
    holder_units: int
    third_units: int


@dataclass
class Ledger:
    """What happened.

    Attributes:
        told: commands that changed the book, with their times.
        refused: what the book said to commands that it refused.
    """

    told: list[tuple[int, Command]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)


class Procurement:
    """One pass over the days of a trace; the clock is the trace's."""

    def __init__(self, history: Sequence[float], demand: Sequence[float], market: Market, plan: Plan) -> None:
        """Take demand in units, one number a window of ten minutes; both start at a whole day."""
        self.demand, self.market, self.plan = [*history, *demand], market, plan
        self.first = len(history)
        self.days = -(-len(demand) // DAY_WINDOWS)
        self.book = Book((plan.right,))
        self.ledger = Ledger()
        self.planned: dict[int, int] = {}
        self.now_ms = 0
        self.data_ms = ORIGIN_MS - self.first * WINDOW_MS
        self.trust = Trust()
        lead = -(-plan.right.response_ms // WINDOW_MS)
        for wanted in history[: max(0, self.first - lead)]:
            self.trust = self.trust.after(wanted, 0.0, WINDOW_HOURS)

    def run(self, tell_progress: Callable[[int], object] | None = None) -> Ledger:
        """Let every day's dealings go on side by side, in the order of the clock; then it is known what each cost."""
        agenda: list[tuple[int, int, int, Iterator[int]]] = []
        # Before a day of demand has been seen there is nothing to go by; then even a short time may do for an answer.
        informed_ms = self.data_ms + DAY_MS
        for day in range(self.days):
            opened_ms = max(informed_ms, self._start(day) - self.plan.right.response_ms)
            if opened_ms < self._start(day):
                heappush(agenda, (opened_ms, 1, day, self._deal(day)))
            heappush(agenda, (self._start(day), 2, day, self._count(day)))
        while agenda:
            self.now_ms, order, day, dealing = heappop(agenda)
            again_ms = next(dealing, None)
            if again_ms is not None:
                heappush(agenda, (max(self.now_ms, again_ms), order, day, dealing))
            elif tell_progress is not None and order == 2:
                tell_progress(day + 1)
        return self.ledger

    def _start(self, day: int) -> int:
        return ORIGIN_MS + day * DAY_MS

    def _deal(self, day: int) -> Iterator[int]:
        """Go through one day's papers: the holder first, a third party for what it let go.

        Yields:
            when it goes on, milliseconds.
        """
        units = self._needed(day)
        if units <= 0:
            return
        self.planned[day] = units
        opened_ms, request = self.now_ms, f"day{day}"
        price, bid = (self.market.third, THIRD) if self.plan.right.mode is Mode.MATCH else (self.market.holder, None)
        terms = self._terms(units, price, day)
        self._tell(opened_ms, OpenRequest(f"{request}/open", request, terms))
        yield from self._offer(day, f"{request}/first", terms, bid, opened_ms)
        if not self._take(day, f"{request}/third"):
            yield from self._offer_again(day)
        unmet = at(self.book, self.now_ms).requests[request].residual
        if unmet:
            self._tell(self.now_ms, CancelRequest(f"{request}/unmet", request, unmet=True))
            self.planned[day] -= unmet

    def _needed(self, day: int) -> int:
        """Say how many units to add, from recent demand as it was known when the request is opened."""
        known = (self.now_ms - self.data_ms) // WINDOW_MS
        recent = self.demand[max(0, known - self.plan.lookback_days * DAY_WINDOWS) : known]
        if not self.trust.allows(self.market):
            return 0
        under_way = sum(units for begun, units in self.planned.items() if begun <= day < begun + self.plan.block_days)
        expected = widen(recent, len(recent) / DAY_WINDOWS)
        return units_to_hold(expected, self.market) - under_way

    def _offer(self, day: int, offer: str, terms: Terms, bid: str | None, now_ms: int) -> Iterator[int]:
        """Send one offer and let the simulated holder answer it: as much as it has, if the price is its own or more."""
        self._tell(now_ms, SendOffer(f"{offer}/send", offer, f"day{day}", terms, bid))
        self._tell(now_ms, ReceiveNotice(f"{offer}/receive", offer, hash_terms(terms)))
        deadline_ms = self.book.offers[offer].deadline_ms or now_ms
        silent = bool(self.plan.silent_every) and day % self.plan.silent_every == 0
        answer_ms = deadline_ms if silent else min(now_ms + self.plan.answer_ms, deadline_ms - 1)
        if answer_ms > self._start(day):
            yield self._start(day)
            self._tell(self.now_ms, WithdrawOffer(f"{offer}/withdraw", offer))
            return
        yield answer_ms
        takes = min(terms.units, self._holder_has(day))
        if terms.unit_price_nanos < round(self.market.floor * NANOS):
            takes = 0
        said = Answer.ACCEPT if takes else Answer.DECLINE
        self._tell(answer_ms, AnswerOffer(f"{offer}/answer", offer, hash_terms(terms), said, takes or None))
        if self.book.offers[offer].state in {OfferState.ACCEPTED, OfferState.PARTLY_ACCEPTED}:
            self._tell(answer_ms, CloseOffer(f"{offer}/close", offer, f"{offer}/commitment"))

    def _take(self, day: int, commitment: str) -> bool:
        """Commit a third party on what was let go, if there is; False when it asks more than the holder was offered."""
        book = at(self.book, self.now_ms)
        window = next((w for w in book.releases.values() if w.request == f"day{day}" and w.left), None)
        if window is None or self.now_ms > self._start(day):
            return True  # Nothing was let go, or too late for this day; what is missing is bought on demand.
        terms = self._terms(window.left, self._asks(day), day)
        return self._tell(self.now_ms, CommitThird(commitment, commitment, f"day{day}", THIRD, terms, window.id))

    def _offer_again(self, day: int) -> Iterator[int]:
        """Give the release back and offer its units to the holder at the price that the third party asks now."""
        now_ms = self.now_ms
        window = next(w for w in at(self.book, now_ms).releases.values() if w.request == f"day{day}" and w.left)
        self._tell(now_ms, GiveBack(f"day{day}/back", window.id))
        yield from self._offer(day, f"day{day}/again", self._terms(window.left, self._asks(day), day), THIRD, now_ms)
        self._take(day, f"day{day}/third again")

    def _asks(self, day: int) -> float:
        dearer = self.plan.price_change_day is not None and day >= self.plan.price_change_day
        return self.market.third * (self.plan.price_factor if dearer else 1.0)

    def _holder_has(self, day: int) -> int:
        out = self.plan.outage_days
        if out is not None and out[0] <= day < out[1]:
            return 0
        return max(0, self.market.holder_units - self._under_way(day)[HOLDER])

    def _terms(self, units: int, price: float, day: int) -> Terms:
        return Terms(units, round(price * NANOS), self._start(day), self.plan.block_days * DAY_MS)

    def _under_way(self, day: int) -> dict[str, int]:
        units = {HOLDER: 0, THIRD: 0}
        for commitment in self.book.commitments.values():
            if commitment.terms.start_ms <= self._start(day) < commitment.end_ms:
                units[commitment.provider] += commitment.terms.units
        return units

    def _tell(self, now_ms: int, command: Command) -> bool:
        """Tell the book; what it refuses changes nothing and is noted."""
        for _ in range(2 if self.plan.duplicates else 1):
            try:
                self.book = tell(self.book, command, now_ms)
            except Conflict as conflict:
                self.ledger.refused.append(conflict.message)
                return False
        self.ledger.told.append((self.book.now_ms, command))
        return True

    def _count(self, day: int) -> Iterator[int]:
        """When a day is over, pay for it: the units under way, and on demand what they did not cover."""
        yield self._start(day + 1)
        units = self._under_way(day)
        begin = self.first + day * DAY_WINDOWS
        today = self.demand[begin : begin + DAY_WINDOWS]
        held, bought = sum(units.values()), 0.0
        for wanted in today:
            self.trust = self.trust.after(wanted, held, WINDOW_HOURS)
            bought += max(0.0, wanted - held)
        hourly_nanos = sum(
            commitment.terms.units * commitment.terms.unit_price_nanos
            for commitment in self.book.commitments.values()
            if commitment.terms.start_ms <= self._start(day) < commitment.end_ms
        )
        self.ledger.days.append(
            Day(
                sum(today) * WINDOW_HOURS,
                hourly_nanos / NANOS * len(today) * WINDOW_HOURS,
                bought * WINDOW_HOURS * self.market.on_demand,
                units[HOLDER],
                units[THIRD],
            )
        )
