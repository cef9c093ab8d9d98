"""The limiter in memory: exact at the edge, all or nothing, settled afterwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.caller import Gate, Limits
from primeur.core.errors import OverLimit
from primeur.limits.memory import MemoryLimiter

MINUTE_US = 60_000_000


def gate(name="key:a", **limits):
    return Gate(name, Limits(**limits))


def test_the_request_after_the_last_allowed_one_is_refused_with_the_time_to_wait():
    """Five a minute: the sixth within the same instant waits twelve seconds."""
    limiter, gates = MemoryLimiter(), (gate(rpm=5),)
    for _ in range(5):
        limiter.reserve(gates, 1, 0)
    with pytest.raises(OverLimit) as refused:
        limiter.reserve(gates, 1, 0)
    assert 12_000 <= refused.value.retry_after_ms <= 12_010
    limiter.reserve(gates, 1, refused.value.retry_after_ms * 1000)


def test_settling_gives_back_what_was_not_used():
    """A hold of 90 settled at 10 leaves 90 of 100."""
    limiter, gates = MemoryLimiter(), (gate(tpm=100),)
    hold = limiter.reserve(gates, 90, 0)
    limiter.settle(hold, 10, 0)
    assert limiter.standing(gates, 0).tokens_left == 90


def test_an_answer_longer_than_its_hold_is_owed():
    """Using 150 of a hold of 50 shuts the gate until the debt is refilled."""
    limiter, gates = MemoryLimiter(), (gate(tpm=100),)
    limiter.settle(limiter.reserve(gates, 50, 0), 150, 0)
    with pytest.raises(OverLimit):
        limiter.reserve(gates, 1, 0)
    limiter.reserve(gates, 1, MINUTE_US)


def test_a_request_beyond_the_whole_allowance_says_so():
    """Waiting would not help; the words say what would."""
    with pytest.raises(OverLimit, match="shorten the prompt"):
        MemoryLimiter().reserve((gate(tpm=100),), 101, 0)


def test_concurrency_ends_with_settling():
    """One in flight: the second waits for the first to be settled."""
    limiter, gates = MemoryLimiter(), (gate(concurrency=1),)
    hold = limiter.reserve(gates, 1, 0)
    with pytest.raises(OverLimit, match="in flight"):
        limiter.reserve(gates, 1, 0)
    limiter.settle(hold, 1, 0)
    limiter.reserve(gates, 1, 0)


def test_a_shut_gate_takes_nothing_from_the_open_ones():
    """All or nothing over every gate."""
    limiter, wide, shut = MemoryLimiter(), gate("project:p", rpm=10), gate("key:k", concurrency=0)
    with pytest.raises(OverLimit):
        limiter.reserve((wide, shut), 1, 0)
    assert limiter.standing((wide,), 0).requests_left == 10


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2_000_000)), max_size=60))
def test_no_more_is_ever_admitted_than_the_burst_and_the_refill(asks):
    """In any order of asks, admitted tokens stay within one full bucket plus what time has added."""
    limiter, gates, now_us, admitted = MemoryLimiter(), (gate(tpm=100),), 0, 0
    for tokens, pause_us in asks:
        now_us += pause_us
        try:
            limiter.settle(limiter.reserve(gates, tokens, now_us), tokens, now_us)
        except OverLimit:
            continue
        admitted += tokens
    assert admitted <= 100 + now_us * 100 / MINUTE_US + 1e-6
