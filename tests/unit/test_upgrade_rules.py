"""When a deployment moves to another version, when it answers no more, when everybody is told, and the leaky bucket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.bucket import LeakyBucket
from primeur.core.errors import BadRequest
from primeur.registry.terms import BATCH, LOCAL, PROVISIONED, STANDARD, Terms, check_terms
from primeur.registry.upgrades import (
    DAY_MS,
    NEVER,
    NOTICE_DAYS,
    ON_EXPIRY,
    ON_NEW_DEFAULT,
    Edition,
    notice_due,
    refuses,
    upgrade_due,
)

NOW = 100 * DAY_MS
POLICIES = st.sampled_from([ON_NEW_DEFAULT, ON_EXPIRY, NEVER])
ENDS = st.none() | st.integers(NOW - 5 * DAY_MS, NOW + 200 * DAY_MS)


@pytest.mark.parametrize(
    ("policy", "current", "default", "moves"),
    [
        (ON_NEW_DEFAULT, Edition("a", 1), Edition("b", 2), True),
        (ON_NEW_DEFAULT, Edition("b", 2), Edition("a", 1), False),
        (ON_NEW_DEFAULT, Edition("b", 2, NOW), Edition("a", 1), True),
        (ON_EXPIRY, Edition("a", 1, NOW + 1), Edition("b", 2), False),
        (ON_EXPIRY, Edition("a", 1, NOW), Edition("b", 2), True),
        (ON_EXPIRY, Edition("a", 1, NOW), Edition("b", 2, NOW), False),
        (NEVER, Edition("a", 1, NOW), Edition("b", 2), False),
    ],
)
def test_each_policy_moves_when_it_says(policy, current, default, moves):
    """A new default is a newer one; an ended one is never moved to."""
    assert (upgrade_due(policy, current, default, (), NOW) is not None) == moves


EDITIONS = st.builds(lambda number, ends: Edition(str(number), number, ends), st.integers(1, 3), ENDS)


@given(POLICIES, EDITIONS, EDITIONS, st.booleans())
def test_nobody_moves_to_what_has_ended_or_was_gone_back_from(policy, current, default, tried):
    """And who is refused for ever is nobody who would be moved: the two rules never contradict each other."""
    why = upgrade_due(policy, current, default, {default.id} if tried else (), NOW)
    if why is not None:
        assert not default.has_ended(NOW)
        assert not tried
        assert policy != NEVER
        assert default.id != current.id
        assert not refuses(policy, current, default, NOW)
    if refuses(policy, current, default, NOW):
        assert current.has_ended(NOW)


@given(st.integers(0, 120), st.lists(st.integers(1, 40 * 24), max_size=12))
def test_each_notice_is_told_once_and_none_is_told_twice(lead_days, hours):
    """However seldom anybody looks: days fall, and the last one told is that of the end."""
    ends_ms, now_ms, told = NOW + lead_days * DAY_MS, NOW, []
    for pause in [*hours, 200 * 24]:
        days = notice_due(ends_ms, told[-1] if told else None, now_ms)
        if days is not None:
            assert days in NOTICE_DAYS
            assert ends_ms - now_ms <= days * DAY_MS
            told.append(days)
        assert notice_due(ends_ms, told[-1] if told else None, now_ms) is None
        now_ms += pause * 3_600_000
    last = notice_due(ends_ms, told[-1] if told else None, now_ms)
    told += [] if last is None else [last]
    assert told == sorted(set(told), reverse=True)
    assert told[-1] == 0


@given(st.integers(1, 10_000), st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 5000)), max_size=40))
def test_a_reserved_throughput_is_never_exceeded_for_long(per_minute, asks):
    """Let in is at most what was reserved for the time, one bucket, and one request that went over its edge."""
    bucket, now_ms, let_in, largest = LeakyBucket(per_minute), 0, 0, 0
    for pause_ms, tokens in asks:
        now_ms += pause_ms
        if bucket.wait_ms(tokens, now_ms) == 0:
            bucket.take(tokens, now_ms)
            let_in, largest = let_in + tokens, max(largest, tokens)
    assert let_in <= per_minute * (1 + now_ms / 60_000) + largest + 1e-6


@given(st.integers(1, 10_000), st.integers(1, 100_000))
def test_who_comes_back_when_told_is_let_in(per_minute, tokens):
    """And nobody is told to wait longer than it takes, to the millisecond."""
    bucket = LeakyBucket(per_minute)
    bucket.take(tokens, 0)
    wait_ms = bucket.wait_ms(1, 0)
    assert wait_ms == 0 or bucket.wait_ms(1, wait_ms - 1) > 0
    assert bucket.wait_ms(1, wait_ms) == 0


def test_what_was_not_used_is_given_back():
    """A bucket over its edge lets in again as soon as the answer turns out short."""
    bucket = LeakyBucket(600)
    bucket.take(1200, 0)
    assert (bucket.utilisation(0), bucket.wait_ms(1, 0)) == (2.0, 60_001)
    bucket.correct(-900, 0)
    assert (bucket.utilisation(0), bucket.wait_ms(1, 0)) == (0.5, 0)
    assert bucket.utilisation(30_000) == 0.0


@pytest.mark.parametrize(
    ("terms", "engine"),
    [
        (Terms(PROVISIONED), "echo"),
        (Terms(None, 5), "echo"),
        (Terms(BATCH, 5), "echo"),
        (Terms(LOCAL), None),
        (Terms(STANDARD), "echo"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(terms, engine):
    """By the name of what to change."""
    with pytest.raises(BadRequest):
        check_terms(terms, engine)


def test_a_type_that_nobody_chose_is_where_it_runs():
    """Local on an engine, standard at a provider."""
    assert (check_terms(Terms(), "echo").kind_on("echo"), Terms().kind_on(None)) == (LOCAL, STANDARD)
    assert check_terms(Terms(PROVISIONED, 5), None).kind_on(None) == PROVISIONED
