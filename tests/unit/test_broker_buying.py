"""How much capacity to commit to, and what a wrong forecast can cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.broker.buying import Market, Trust, break_even_bound, break_even_cost, units_to_hold
from primeur.core.errors import BadRequest

DEMAND = st.lists(st.floats(0, 12), min_size=1, max_size=40)
PRICES = st.tuples(st.floats(0.5, 3), st.floats(0.3, 1), st.floats(0.3, 1), st.integers(0, 12))


@given(DEMAND, PRICES)
def test_the_units_held_cost_least_of_all_whole_numbers(demand, prices):
    """Tried one by one, no other number of units does better on the demand that was looked at."""
    market = Market(*prices)

    def cost(units):
        lacking = sum(max(0.0, wanted - units) for wanted in demand) / len(demand)
        return market.committed(units) + market.on_demand * lacking

    assert cost(units_to_hold(demand, market)) == pytest.approx(min(cost(units) for units in range(15)))


def test_without_history_nothing_is_held():
    """What was never seen is bought on demand."""
    assert units_to_hold([], Market(1.0, 0.6, 0.55, 5)) == 0


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 30)), max_size=60), PRICES)
def test_a_forecast_never_costs_more_than_break_even_at_worst(windows, prices):
    """However wrong, the cost stays below the bound times the optimum's, plus the one window bought on trust."""
    market, trust, cost = Market(*prices), Trust(), 0.0
    last = 0.0
    for wanted, forecast in windows:
        units = forecast if trust.allows(market) else 0
        last = market.committed(units) if units else last
        trust = trust.after(wanted, units, 1.0)
        cost += market.committed(units) + market.on_demand * max(0.0, wanted - units)
    least = market.cheapest * sum(wanted for wanted, _ in windows)
    assert cost <= break_even_bound(market) * least + last + 1e-6


@given(DEMAND, st.floats(0.3, 1))
def test_break_even_costs_at_most_twice_the_best_for_one_long_commitment(demand, price):
    """The old ski-rental promise, unit by unit; here one block covers everything that follows."""
    market = Market(1.0, price, price, 100)
    block = 1000
    best = sum(min(block * price, sum(min(1.0, max(0.0, wanted - level)) for wanted in demand)) for level in range(13))
    paid = break_even_cost(demand, 1.0, block, market)
    assert paid <= 2 * best + 1e-6


@pytest.mark.parametrize("wrong", [(0, 1, 1, 1), (1, -1, 1, 1), (1, 1, float("nan"), 1), (1, 1, 1, -1)])
def test_a_market_without_prices_is_refused(wrong):
    """A price of nothing, or of less, makes every plan look free."""
    with pytest.raises(BadRequest):
        Market(*wrong)
