"""The least cost by somebody who knows all demand is what HiGHS finds, without HiGHS."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeur.broker.buying import Market, units_to_hold, widen
from primeur.broker.clairvoyant import least_cost
from primeur.broker.simplex import Cost, Simplex

PRICES = st.sampled_from([0.3, 0.55, 0.6, 0.8, 1.1])
MARKETS = st.builds(Market, st.just(1.0), PRICES, PRICES, st.sampled_from([0, 3, 8, 30]))
DEMANDS = st.lists(st.floats(0, 20) | st.integers(0, 5).map(float), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(DEMANDS, MARKETS, st.integers(1, 6), st.integers(1, 9), st.booleans())
def test_the_least_cost_is_the_one_that_highs_finds(demand, market, day_windows, block_days, holder_first):
    """For any demand, prices and blocks, with the right and without."""
    pytest.importorskip("scipy", reason="the comparison needs primeur[simulate]")
    from primeur.walks.solve_procurement import solve_procurement  # noqa: PLC0415 - it needs the extra

    days = demand[: 6 * day_windows]
    ours = least_cost(days, market, day_windows, block_days, holder_first=holder_first)
    theirs = solve_procurement(days, market, day_windows, block_days, holder_first=holder_first)
    assert ours == pytest.approx(theirs, rel=2e-6, abs=1e-6)


def test_a_right_of_a_dearer_holder_costs_what_it_must():
    """Two units all day: by the third party alone, or after the holder's one unit."""
    market = Market(1.0, 0.6, 0.5, 1)
    assert least_cost([2.0] * 4, market, 4, 1, holder_first=False) == pytest.approx(4 * 2 * 0.5)
    assert least_cost([2.0] * 4, market, 4, 1, holder_first=True) == pytest.approx(4 * (0.6 + 0.5))
    assert least_cost([], market, 4, 1, holder_first=True) == 0


def test_a_search_that_is_too_long_says_so():
    """Blocks of two days over a year are left to HiGHS."""
    with pytest.raises(ArithmeticError, match="beyond this search"):
        least_cost([1.0] * 365, Market(1.0, 0.6, 0.5, 1), 1, 2, holder_first=True)


def test_a_cost_without_a_least_value_is_refused():
    """More is always cheaper here."""
    endless = Cost((0.0, float("inf")), (-1.0,))
    balance = Cost((0.0, float("inf")), (0.0,))
    with pytest.raises(ArithmeticError, match="no lower bound"):
        Simplex([endless, balance], [[-1.0, 1.0]], [0.0], [1]).solve()


def test_few_days_of_history_count_for_less():
    """Widening keeps the mean, and fewer units are held the less is known (committing pays above 40 % of the time)."""
    seen, market = [100.0] * 10, Market(1.0, 0.6, 0.6, 1000)
    assert sum(widen(seen, 1)) == pytest.approx(3 * sum(seen))
    assert units_to_hold(widen(seen, 9), market) >= units_to_hold(widen(seen, 1), market)
    assert units_to_hold([], market) == 0
