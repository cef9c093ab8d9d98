"""What an answer costs."""

from hypothesis import given
from hypothesis import strategies as st

from primeur.core.price import Price
from primeur.core.usage import Usage
from primeur.metering.rules import charge

tokens = st.integers(0, 10**9)
nanos = st.integers(0, 10**12)
prices = st.builds(Price, st.just("price_1"), st.just("EUR"), nanos, nanos, nanos)


def test_an_unknown_price_is_unknown_and_not_zero():
    """Without a price there is no cost to show."""
    assert charge(Usage(input_tokens=5), None) is None


def test_cached_tokens_cost_their_own_price():
    """Ten tokens, four of them cached, and two written."""
    price = Price("price_1", "EUR", 100, 10, 1000)
    assert charge(Usage(input_tokens=10, cached_tokens=4, output_tokens=2), price) == 6 * 100 + 4 * 10 + 2 * 1000


@given(tokens, tokens, tokens, prices)
def test_a_cost_is_a_whole_number_and_never_negative(given_in, cached, out, price):
    """Whatever a target claims, more cached than read included."""
    cost = charge(Usage(input_tokens=given_in, cached_tokens=cached, output_tokens=out), price)
    assert isinstance(cost, int)
    assert cost >= 0


@given(tokens, tokens, prices)
def test_two_answers_cost_what_both_cost(first, second, price):
    """Charging adds up: no rounding anywhere."""
    one, two = Usage(output_tokens=first), Usage(output_tokens=second)
    assert charge(one, price) + charge(two, price) == charge(Usage(output_tokens=first + second), price)
