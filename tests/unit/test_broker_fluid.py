"""The fluid bound is what it says: the least that anybody must spill."""

from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeur.broker.fluid import Supply, spilled_at_least

REQUESTS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), min_size=1, max_size=12)


@given(REQUESTS)
@settings(deadline=None)  # The first call loads HiGHS.
def test_the_closed_form_equals_the_linear_program(requests):
    """HiGHS, which knows nothing of queues, finds the same least spilled work."""
    pytest.importorskip("scipy", reason="the linear program needs primeur[simulate]")
    solve_fluid = import_module("primeur.walks.solve_fluid").solve_fluid
    arrivals, work = [sorted(a for a, _ in requests), [float(w) for _, w in requests]]
    assert sum(spilled_at_least(arrivals, work, Supply(0.5), 10)) == pytest.approx(solve_fluid(arrivals, work, 0.5, 10))


@given(REQUESTS, st.integers(0, 40), st.integers(0, 20))
def test_no_first_come_policy_beats_the_bound_even_with_an_outage(requests, start, length):
    """Whole requests, done in order or not at all, never leave less behind than cut ones do."""
    supply = Supply(0.5, ((start, start + length),) if length else ())
    arrivals, work = [sorted(a for a, _ in requests), [float(w) for _, w in requests]]
    free, spilled = 0.0, 0.0
    for at, size in zip(arrivals, work, strict=True):
        done = supply.moment_us(supply.worked_us(max(free, at)) + size / 0.5)
        if done <= at + 10:
            free = done
        else:
            spilled += size
    assert spilled >= sum(spilled_at_least(arrivals, work, supply, 10)) - 1e-6


@given(st.integers(0, 100), st.integers(1, 30), st.floats(0, 200))
def test_worked_time_and_moments_are_inverse(start, length, worked):
    """A provider that was up for so long is there again at the moment when it was."""
    supply = Supply(1.0, ((start, start + length),))
    assert supply.worked_us(supply.moment_us(worked)) == pytest.approx(worked)
