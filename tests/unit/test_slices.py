"""Slices of a shared limit, in any order of what can happen: never more than the limit, and nothing is lost."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from primeur.core.errors import OverLimit
from primeur.limits.keeper import MemoryKeeper
from primeur.limits.names import CONCURRENCY, TOKENS_DAY, TOKENS_MINUTE, Name
from primeur.limits.slice_counter import SliceCounter
from primeur.limits.slices import share

NOON = 1_790_000_000_000 // 86_400_000 * 86_400_000 + 43_200_000
LIMIT = 40


class Sharing(RuleBasedStateMachine):
    """Three processes with one counter each; a plain list of everything let in is the judge."""

    @initialize(kind=st.sampled_from([TOKENS_MINUTE, TOKENS_DAY, CONCURRENCY]))
    def begin(self, kind):
        """One kind of counter for all."""
        name = Name("key:a", kind, "day" if kind == TOKENS_DAY else None)
        self.kind, self.keeper, self.now_ms = kind, MemoryKeeper(), NOON
        self.counters = [SliceCounter(name, LIMIT, f"p{number}") for number in range(3)]
        self.past, self.open = [], []

    def turned(self, which):
        counter = self.counters[which]
        if self.now_ms >= counter.turn_ms:
            counter.turn(self.now_ms)
        return counter

    @rule(which=st.integers(0, 2), need=st.integers(0, 12))
    def speak(self, which, need):
        """A process says what it has to say, and perhaps asks for more."""
        counter = self.turned(which)
        claim = counter.claim(need, need)
        (grant,) = self.keeper.answer(f"p{which}", [claim], self.now_ms)
        if grant.unknown:
            counter.floor = 0
        counter.take(grant, need, self.now_ms, self.now_ms)

    @rule(which=st.integers(0, 2), tokens=st.integers(1, 12))
    def use(self, which, tokens):
        """A request takes from its process's slice, if that is enough."""
        counter, tokens = self.turned(which), 1 if self.kind == CONCURRENCY else tokens
        if counter.left >= tokens:
            counter.left -= tokens
            counter.here += tokens
            self.open.append((which, self.now_ms, tokens))

    @precondition(lambda self: self.open)
    @rule(number=st.integers(0, 20), used=st.floats(0, 1))
    def end(self, number, used):
        """A request ends, having used a part of what it held."""
        which, at_ms, tokens = self.open.pop(number % len(self.open))
        kept = 0 if self.kind == CONCURRENCY else int(tokens * used)
        self.turned(which).correct(kept - tokens, at_ms)
        self.past.append((at_ms, kept))

    @rule(ms=st.sampled_from([10, 900, 5_000, 61_000]))
    def wait(self, ms):
        """Time passes; nobody is so silent that they count as dead."""
        for _ in range(max(1, ms // 5_000)):
            self.now_ms += min(ms, 5_000)
            for which in range(3):
                self.speak(which, 0)

    @invariant()
    def never_more_than_the_limit(self):
        """In any minute, in any day, at any moment."""
        if not hasattr(self, "kind"):
            return
        held = [(at_ms, tokens) for _, at_ms, tokens in self.open]
        if self.kind == TOKENS_MINUTE:
            counted = [one for one in held + self.past if one[0] > self.now_ms - 60_000]
        elif self.kind == TOKENS_DAY:
            counted = [one for one in held + self.past if one[0] // 86_400_000 == self.now_ms // 86_400_000]
        else:
            counted = held
        assert sum(tokens for _, tokens in counted) <= LIMIT

    def teardown(self):
        """When all have given everything back, exactly what is left is there for one of them."""
        if not hasattr(self, "kind") or self.kind == TOKENS_MINUTE:
            return
        for _ in range(14):
            for which in range(3):
                self.speak(which, 0)
        held = [(at_ms, tokens) for _, at_ms, tokens in self.open]
        day = self.now_ms // 86_400_000
        counted = held if self.kind == CONCURRENCY else [one for one in held + self.past if one[0] // 86_400_000 == day]
        left = LIMIT - sum(tokens for _, tokens in counted)
        self.speak(0, left)
        assert self.counters[0].left == left


TestSharing = Sharing.TestCase


def test_slices_shrink_as_the_limit_comes_near():
    """Much of plenty, exactly the need near the end or while somebody is hungry, nothing when there is less."""
    assert share(1000, 1, 500, 5, hungry=False) == 100
    assert share(10, 1, 500, 5, hungry=False) == 1
    assert share(1000, 3, 500, 5, hungry=True) == 3
    assert share(2, 3, 500, 5, hungry=False) == 0
    assert share(2, 0, 500, 5, hungry=False) == 0


def test_a_refusal_is_believed_for_a_moment_and_not_for_less_than_was_refused():
    """Twelve were refused: thirteen need not be asked for at once, eleven may be there."""
    counter, keeper = SliceCounter(Name("key:a", TOKENS_DAY, "day"), 11, "p0"), MemoryKeeper()
    counter.turn(NOON)
    counter.floor = 0
    (grant,) = keeper.answer("p0", [counter.claim(12, 12)], NOON)
    counter.take(grant, 12, NOON, NOON)
    assert [counter.may_fill(need, NOON) for need in (11, 12, 13)] == [True, False, False]
    assert counter.may_fill(12, NOON + 50)
    with pytest.raises(OverLimit):
        counter.refuse(12, NOON)
