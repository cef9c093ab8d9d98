"""How many replicas: bounds, cool-downs, the N-1 check, windows, sleep; and what can be said of any history."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from primeur.core.errors import BadRequest
from primeur.core.scaling import Scaling, Window
from primeur.registry.load_history import History
from primeur.registry.scaling import (
    ASKED,
    BOUNDS,
    IDLE,
    LOAD,
    MEMORY,
    STEADY,
    Observed,
    bounds_at,
    check_scaling,
    decide,
    first_replicas,
)

NOW = 1_800_000_000_000
POLICY = Scaling(min=1, max=8, target=4.0)
ASLEEP = Scaling(min=0, max=3, idle_after_s=60)

policies = some.builds(
    lambda low, span, **rest: Scaling(min=low, max=max(1, low + span), **rest),
    some.integers(0, 4),
    some.integers(0, 8),
    target=some.floats(0.5, 100),
    tolerance=some.floats(0, 0.5),
    up_cooldown_s=some.floats(0, 60),
    down_cooldown_s=some.floats(0, 600),
    idle_after_s=some.floats(1, 600),
)
sights = some.builds(
    Observed,
    replicas=some.integers(0, 12),
    ready=some.integers(0, 12),
    load=some.floats(0, 1000),
    peak=some.floats(0, 1000),
    waiting=some.integers(0, 50),
    idle_ms=some.integers(0, 1_000_000),
    changed_ms=some.none() | some.integers(NOW - 1_000_000, NOW),
    fits=some.none() | some.integers(0, 12),
    kept=some.booleans(),
)


@given(policies, sights)
def test_replicas_stay_within_their_bounds_and_memory(policy, seen):
    decision = decide(policy, seen, NOW)
    low, high = decision.evidence.low, decision.evidence.high
    assert low <= decision.wanted <= high
    assert decision.replicas <= decision.wanted
    if decision.replicas < decision.wanted:
        assert decision.replicas == max(seen.fits, seen.replicas)


@given(policies, sights)
def test_nothing_flaps_within_a_cool_down(policy, seen):
    """But for bounds and for those who wait, a change keeps its distance from the one before."""
    decision = decide(policy, seen, NOW)
    if seen.changed_ms is None or decision.reason in {BOUNDS, ASKED, IDLE}:
        return
    since_s = (NOW - seen.changed_ms) / 1000
    if decision.replicas > seen.replicas:
        assert since_s >= policy.up_cooldown_s
    if decision.replicas < seen.replicas:
        assert since_s >= policy.down_cooldown_s


@given(policies, sights, some.floats(0, 1000), some.floats(0, 1000))
def test_more_load_never_means_fewer_replicas(policy, seen, one, other):
    less, more = sorted((one, other))
    fewer, many = (decide(policy, replace(seen, load=load), NOW) for load in (less, more))
    assert fewer.replicas <= many.replicas


@given(policies, sights)
def test_who_remains_would_have_carried_the_most_that_was_seen(policy, seen):
    decision = decide(policy, seen, NOW)
    if decision.replicas < seen.replicas and decision.reason == LOAD:
        assert decision.replicas * policy.target >= max(seen.peak, seen.load) * (1 - 1e-9)
        assert seen.ready >= seen.replicas


@given(policies, sights)
def test_a_decision_that_changes_nothing_is_steady(policy, seen):
    decision = decide(policy, seen, NOW)
    assert (decision.reason in {STEADY, MEMORY}) or decision.replicas != seen.replicas
    assert decision.detail


@pytest.mark.parametrize(
    ("seen", "replicas", "reason"),
    [
        (Observed(1, 1, load=4.3, peak=4.3), 1, STEADY),
        (Observed(1, 1, load=9, peak=9), 3, LOAD),
        (Observed(1, 1, load=9, peak=9, changed_ms=NOW - 14_000), 1, STEADY),
        (Observed(3, 3, load=2, peak=7, changed_ms=NOW - 400_000), 2, LOAD),
        (Observed(3, 3, load=2, peak=11, changed_ms=NOW - 400_000), 3, STEADY),
        (Observed(3, 2, load=2, peak=2, changed_ms=NOW - 400_000), 3, STEADY),
        (Observed(3, 3, load=2, peak=2, changed_ms=NOW - 200_000), 3, STEADY),
        (Observed(1, 1, load=99, peak=99), 8, LOAD),
        (Observed(9, 9, load=99, peak=99), 8, BOUNDS),
        (Observed(1, 1, load=9, peak=9, fits=2), 2, MEMORY),
        (Observed(2, 2, load=12, peak=12, fits=1), 2, MEMORY),
        (Observed(0, 0, waiting=2, fits=0), 0, MEMORY),
    ],
)
def test_load_moves_replicas_by_its_ratio_to_the_target(seen, replicas, reason):
    decision = decide(POLICY, seen, NOW)
    assert (decision.replicas, decision.reason) == (replicas, reason), decision.detail


@pytest.mark.parametrize(
    ("seen", "replicas", "reason"),
    [
        (Observed(1, 1, idle_ms=61_000, changed_ms=NOW - 61_000), 0, IDLE),
        (Observed(3, 3, idle_ms=61_000, peak=9), 0, IDLE),
        (Observed(1, 1, idle_ms=59_000), 1, STEADY),
        (Observed(1, 1, idle_ms=61_000, changed_ms=NOW - 10_000), 1, STEADY),
        (Observed(1, 1, idle_ms=61_000, kept=True), 1, STEADY),
        (Observed(0), 0, STEADY),
        (Observed(0, waiting=3), 1, ASKED),
        (Observed(0, kept=True), 1, BOUNDS),
    ],
)
def test_who_is_not_asked_sleeps_until_somebody_asks(seen, replicas, reason):
    decision = decide(ASLEEP, seen, NOW)
    assert (decision.replicas, decision.reason) == (replicas, reason), decision.detail


def at(text: str) -> int:
    """UTC milliseconds of a local time in Berlin."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "bounds"),
    [
        ("2027-03-26T07:59", (0, 4)),
        ("2027-03-26T08:00", (2, 6)),
        ("2027-03-27T09:00", (0, 4)),  # a Saturday
        ("2027-03-29T08:00", (2, 6)),  # the day after the clocks went forward
        ("2027-03-28T23:30", (1, 1)),  # Sunday's night
        ("2027-03-29T05:59", (1, 1)),  # its morning after
        ("2027-03-29T06:00", (0, 4)),
    ],
)
def test_windows_are_hours_of_the_named_time_zone(moment, bounds):
    days = Window(days=("mon", "tue", "wed", "thu", "fri"), start="08:00", end="18:00", min=2, max=6)
    night = Window(days=("sun",), start="22:00", end="06:00", min=1, max=1)
    policy = Scaling(min=0, max=4, windows=(days, night), time_zone="Europe/Berlin")
    assert bounds_at(policy, at(moment))[:2] == bounds
    assert (policy.most, policy.may_sleep) == (6, True)


@pytest.mark.parametrize(
    ("bad", "param"),
    [
        ({"min": 3, "max": 2}, "scaling.min"),
        ({"time_zone": "Mars/Olympus"}, "scaling.time_zone"),
        ({"time_zone": "../etc/passwd"}, "scaling.time_zone"),
        ({"windows": [{"start": "08:00", "end": "09:00", "min": 2, "max": 1}]}, "scaling.windows[0]"),
        ({"windows": [{"start": "08:00", "end": "09:00", "min": 0, "max": 0}]}, "scaling.windows[0]"),
        ({"windows": [{"days": [], "start": "08:00", "end": "09:00", "min": 0, "max": 1}]}, "scaling.windows[0].days"),
    ],
)
def test_what_cannot_be_met_is_refused_by_its_place(bad, param):
    with pytest.raises(BadRequest) as refused:
        check_scaling(msgspec.convert(bad, Scaling))
    assert refused.value.param == param


def test_a_new_revision_begins_with_as_many_as_the_one_before():
    assert first_replicas(POLICY, 3, NOW) == 3
    assert first_replicas(POLICY, 0, NOW) == 1
    assert first_replicas(Scaling(), 3, NOW) == 1


@given(some.lists(some.floats(0, 1e6), min_size=1, max_size=200))
def test_the_peak_is_the_highest_average_of_its_span(values):
    """Held against the plain way: all averages kept, the highest of those that are young enough."""
    history, averages = History(over_ms=1000, peak_ms=5000), []
    for step, value in enumerate(values):
        now_ms = step * 250
        history.take(now_ms, value)
        window = values[max(0, step - 3) : step + 1]
        averages.append((now_ms, sum(window) / len(window)))
        assert history.average == pytest.approx(averages[-1][1])
        assert history.peak == pytest.approx(max(one for at_ms, one in averages if at_ms > now_ms - 5000))
