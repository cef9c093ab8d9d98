"""The limiter in memory: exact at the edge, all or nothing, settled afterwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from primeur.core.caller import Budget, Gate, Limits
from primeur.core.errors import OverBudget, OverLimit, SliceSpent
from primeur.core.periods import span_of
from primeur.limits.memory import MemoryLimiter

NOON = 1_790_000_000_000 // 86_400_000 * 86_400_000 + 43_200_000
EUR = 1_000_000_000


class Still:
    """A clock that says what it is told."""

    def __init__(self, ms=NOON):
        self.ms = ms

    def now_ms(self):
        return self.ms

    def monotonic_us(self):
        return self.ms * 1000


def gate(name="key:a", budgets=(), **limits):
    return Gate(name, Limits(**limits), budgets)


def lane_of(*gates, currency="EUR", books=None):
    return MemoryLimiter(Still(), books).lane(gates, currency)


def budget(euros, period="month", **more):
    return Budget("bud_1", "EUR", round(euros * EUR), period, **more)


def test_the_request_after_the_last_allowed_one_waits_until_the_first_is_a_minute_old():
    """Five a minute: the sixth is told when it will be let in, and is."""
    lane = lane_of(gate(rpm=5))
    for _ in range(5):
        lane.reserve(1, None, NOON)
    with pytest.raises(OverLimit) as refused:
        lane.reserve(1, None, NOON)
    assert 60_000 <= refused.value.retry_after_ms <= 61_000
    with pytest.raises(OverLimit):
        lane.reserve(1, None, NOON + 60_000)
    lane.reserve(1, None, NOON + refused.value.retry_after_ms)


def test_a_day_has_its_own_allowance_and_ends_at_midnight():
    """Two a day: the third waits twelve hours, from noon."""
    lane = lane_of(gate(rpd=2))
    lane.reserve(1, None, NOON)
    lane.reserve(1, None, NOON)
    with pytest.raises(OverLimit, match="2 requests a day") as refused:
        lane.reserve(1, None, NOON)
    assert refused.value.retry_after_ms == 12 * 3_600_000
    lane.reserve(1, None, NOON + 12 * 3_600_000)


def test_settling_gives_back_what_was_not_used():
    """A hold of 90 settled at 10 leaves 90 of 100."""
    lane = lane_of(gate(tpm=100))
    lane.settle(lane.reserve(90, None, NOON), 10, None, NOON + 3000)
    assert lane.standing(NOON + 3000).tokens_left == 90


def test_an_answer_longer_than_its_hold_is_owed():
    """Using 150 of a hold of 50 shuts the gate until a minute after the debt was made."""
    lane = lane_of(gate(tpm=100))
    lane.settle(lane.reserve(50, None, NOON), 150, None, NOON)
    with pytest.raises(OverLimit):
        lane.reserve(1, None, NOON + 59_999)
    lane.reserve(1, None, NOON + 61_000)


def test_a_request_beyond_the_whole_allowance_says_so():
    """Waiting would not help; the words say what would."""
    with pytest.raises(OverLimit, match="shorten the prompt"):
        lane_of(gate(tpm=100)).reserve(101, None, NOON)


def test_concurrency_ends_with_settling():
    """One in flight: the second waits for the first to be settled."""
    lane = lane_of(gate(concurrency=1))
    hold = lane.reserve(1, None, NOON)
    with pytest.raises(OverLimit, match="in flight"):
        lane.reserve(1, None, NOON)
    lane.settle(hold, 1, None, NOON)
    lane.reserve(1, None, NOON)


@pytest.mark.parametrize("shut", [gate("key:k", concurrency=0), gate("key:k", tpm=1), gate("key:k", tpd=1)])
def test_a_shut_gate_takes_nothing_from_the_open_ones(shut):
    """All or nothing over every gate, money included."""
    limiter = MemoryLimiter(Still())
    wide = gate("project:p", (budget(1),), rpm=10, tpm=100, rpd=10, concurrency=10)
    with pytest.raises(OverLimit):
        limiter.lane((wide, shut), "EUR").reserve(2, EUR, NOON)
    limiter.lane((wide,), "EUR").reserve(100, EUR, NOON)


def test_the_worst_case_of_money_is_held_and_the_rest_given_back():
    """Of one euro, 0.60 are held: another 0.60 must wait until the first turns out to cost 0.10."""
    lane = lane_of(gate(budgets=(budget(1),)))
    hold = lane.reserve(1, 600_000_000, NOON)
    with pytest.raises(OverBudget, match=r"0\.400000 EUR left") as refused:
        lane.reserve(1, 600_000_000, NOON)
    assert refused.value.code == "insufficient_quota"
    lane.settle(hold, 1, 100_000_000, NOON)
    lane.reserve(1, 900_000_000, NOON)


@pytest.mark.parametrize(("cost", "currency"), [(None, None), (5, "USD")])
def test_a_cost_that_cannot_be_held_is_refused_unless_the_budget_says_otherwise(cost, currency):
    """No price, or one in another currency: fail closed, in words that say what to do."""
    with pytest.raises(OverBudget, match="cannot be held; set a price"):
        lane_of(gate(budgets=(budget(1),)), currency=currency).reserve(1, cost, NOON)
    lenient = lane_of(gate(budgets=(budget(1, allows_unpriced=True),)), currency=currency)
    assert lenient.reserve(1, cost, NOON).tokens == 1


def test_a_limit_that_changes_holds_at_once_and_keeps_what_was_used():
    """A new snapshot brings new limits to the same counters."""
    limiter = MemoryLimiter(Still())
    for _ in range(5):
        limiter.lane((gate(rpm=5),), None).reserve(1, None, NOON)
    limiter.lane((gate(rpm=6),), None).reserve(1, None, NOON)
    with pytest.raises(OverLimit):
        limiter.lane((gate(rpm=3),), None).reserve(1, None, NOON)


async def test_days_and_money_begin_with_what_the_books_say():
    """A restart forgets nothing: until the books are read, nothing is given away."""

    async def books(asked):
        assert [one.from_ms for one in asked] == [span_of("month", NOON)[0], span_of("day", NOON)[0]]
        return [900_000_000, 7]

    limiter = MemoryLimiter(Still(), books)
    lane = limiter.lane((gate(budgets=(budget(1),), rpd=8),), "EUR")
    with pytest.raises(SliceSpent) as spent:
        lane.reserve(1, 1, NOON)
    await limiter.fill(spent.value)
    with pytest.raises(OverBudget):
        lane.reserve(1, 100_000_001, NOON)
    lane.reserve(1, 100_000_000, NOON)
    with pytest.raises(OverLimit, match="8 requests a day"):
        lane.reserve(1, 0, NOON)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20_000)), max_size=60))
def test_no_more_is_ever_admitted_than_the_limit_in_any_minute(asks):
    """In any order of asks, at any moment, the last 60 seconds hold no more than the limit."""
    lane, now_ms, admitted = lane_of(gate(tpm=100)), NOON, []
    for tokens, pause_ms in asks:
        now_ms += pause_ms
        try:
            lane.reserve(tokens, None, now_ms)
        except OverLimit:
            continue
        admitted.append((now_ms, tokens))
        assert sum(taken for at_ms, taken in admitted if at_ms > now_ms - 60_000) <= 100


class Counting(RuleBasedStateMachine):
    """Requests come, end, and time passes; a plain list of all that happened says what may be."""

    def __init__(self):
        super().__init__()
        self.now_ms = NOON
        gates = (
            gate("key:a", (budget(1e-7),), rpm=4, tpm=50, concurrency=3, rpd=12, tpd=200),
            gate("project:b", concurrency=2, tpm=40),
        )
        self.lane = MemoryLimiter(Still()).lane(gates, "EUR")
        self.open, self.past = [], []

    @rule(tokens=st.integers(0, 30), cost=st.integers(0, 40), wait_ms=st.integers(0, 30_000))
    def ask(self, tokens, cost, wait_ms):
        """One more, if it may."""
        self.now_ms += wait_ms
        try:
            hold = self.lane.reserve(tokens, cost, self.now_ms)
        except OverLimit:
            return
        self.open.append(hold)

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 10), used=st.floats(0, 1), wait_ms=st.integers(0, 30_000))
    def end(self, which, used, wait_ms):
        """One ends, having used no more than it held."""
        self.now_ms += wait_ms
        hold = self.open.pop(which % len(self.open))
        tokens, cost = int(hold.tokens * used), int(hold.cost_nanos * used)
        self.lane.settle(hold, tokens, cost, self.now_ms)
        self.past.append((hold.at_ms, tokens, cost))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 10), wait_ms=st.integers(0, 30_000))
    def withdraw(self, which, wait_ms):
        """One goes as if it had never come."""
        self.now_ms += wait_ms
        self.lane.withdraw(self.open.pop(which % len(self.open)), self.now_ms)

    @rule(hours=st.integers(1, 30))
    def sleep(self, hours):
        """Days pass."""
        self.now_ms += hours * 3_600_000

    @invariant()
    def nothing_is_ever_exceeded(self):
        """Over everything that was let in, in flight or not."""
        held = [(hold.at_ms, hold.tokens, hold.cost_nanos) for hold in self.open]
        everything = held + self.past
        minute = [one for one in everything if one[0] > self.now_ms - 60_000]
        today = [one for one in everything if one[0] // 86_400_000 == self.now_ms // 86_400_000]
        month = [one for one in everything if span_of("month", one[0]) == span_of("month", self.now_ms)]
        assert len(self.open) <= 2
        assert len(minute) <= 4
        assert sum(one[1] for one in minute) <= 40
        assert len(today) <= 12
        assert sum(one[1] for one in today) <= 200
        assert sum(one[2] for one in month) <= 100

    @invariant()
    def nothing_is_lost(self):
        """A minute after the last one ended, as much may come as the day leaves."""
        if self.open:
            return
        later_ms = self.now_ms + 61_000
        today = [one for one in self.past if one[0] // 86_400_000 == later_ms // 86_400_000]
        spent = sum(one[2] for one in self.past if span_of("month", one[0]) == span_of("month", later_ms))
        if len(today) < 12 and sum(one[1] for one in today) < 200 and spent < 100:
            self.now_ms = later_ms
            self.lane.withdraw(self.lane.reserve(1, 1, later_ms), later_ms)

    @invariant()
    def what_is_left_is_never_more_than_the_limit(self):
        """Settling gives back no more than was held."""
        assert all(counter.left <= counter.limit for counter in self.lane.counters)


TestCounting = Counting.TestCase
