"""Prices by units: exact, the same whenever they are asked, whatever the order, and never free by silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.core.usage import Usage, UsageEvent
from primeur.metering.rates import UNITS, Rate, Tariff, Used, check_rate, choose_rate, rate_cost

prices = st.integers(0, 10**6)
steps = st.lists(prices, min_size=1, max_size=4).map(
    lambda nanos: tuple((100 * at, one) for at, one in enumerate(nanos))
)
rates = st.dictionaries(st.sampled_from(UNITS), steps, min_size=1).map(
    lambda units: Rate("p", "buy", "rack", "", "EUR", units, 0, 0)
)
events = st.builds(
    lambda fresh, cached, out, thought, images, us: UsageEvent(
        id="req_1", at_ms=5, route="chat", outcome="completed", status=200, usage=Usage(fresh, cached, out, thought),
        images=images, duration_us=us,
    ),
    *(st.integers(0, 1000) for _ in range(5)), st.integers(0, 10**9),
)  # fmt: skip


@given(rates, events)
def test_rating_anew_with_the_same_version_gives_the_same_amount(rate, event):
    """In whole nanos, never negative; the fast way for plain prices of tokens says what the general one says."""
    tariff = Tariff(rate)
    cost = tariff.cost(event)
    assert cost == tariff.cost(event) == rate_cost(event, rate) == Used.of(event).cost(rate.units) >= 0
    assert isinstance(cost, int)


@given(rates, st.lists(events, min_size=1, max_size=6))
def test_a_month_is_charged_the_same_in_whatever_order_requests_came(rate, many):
    """Its tiers see the sum; GPU time, whose parts of a nano are dropped, is left out."""
    units = {unit: found for unit, found in rate.units.items() if not unit.startswith("gpu")}
    used = [Used.of(event) for event in many]
    fields = Used.__struct_fields__
    whole = Used(**{name: sum(getattr(one, name) for one in used) for name in fields})
    backwards = Used(**{name: sum(getattr(one, name) for one in used[::-1]) for name in fields})
    assert whole.cost(units) == backwards.cost(units)
    first = {unit: found[:1] for unit, found in units.items()}
    assert whole.cost(first) == sum(one.cost(first) for one in used)


@given(steps, st.integers(0, 1000), st.integers(0, 1000))
def test_tiers_charge_each_part_at_its_own_price(some, fewer, more):
    """More is never cheaper, and what is beyond a step costs that step's price."""
    units = {"input": some, "output": ((0, 0),)}

    def cost(tokens):
        return Used(tokens, 0, 0, 0, 0, 1, 0).cost(units)

    assert cost(fewer) <= cost(fewer + more)
    assert cost(0) == 0
    by_hand = sum(next(nanos for begin, nanos in reversed(some) if token >= begin) for token in range(fewer))
    assert cost(fewer) == by_hand


def test_the_price_that_holds_is_the_nearest_and_then_the_newest():
    """The project's before its organisation's before everybody's; the deployment's before all; no later one."""
    known = [
        Rate(name, "sell", party, subject, "EUR", {"request": ((0, 1),)}, from_ms, from_ms)
        for name, party, subject, from_ms in (
            ("list", "", "chat", 9), ("all", "org", "", 8), ("own", "org", "chat", 1), ("newer", "org", "chat", 2),
            ("later", "prj", "chat", 50),
        )
    ]  # fmt: skip
    parties = ("prj", "org", "")
    assert choose_rate(known, parties, "chat", 10).id == "newer"
    assert choose_rate(known, parties, "other", 10).id == "all"
    assert choose_rate(known, parties, "chat", 60).id == "later"
    assert choose_rate(known, ("", ""), "other", 10) is None


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ({}, "one unit at least"),
        ({"token": ((0, 1),)}, "no unit 'token'"),
        ({"request": ((1, 1),)}, "rise from 0"),
        ({"request": ((0, 1), (5, 1), (5, 2))}, "rise from 0"),
        ({"request": ((0, -1),)}, "negative"),
        ({"cached": ((0, 1),)}, "leaves input tokens out"),
        ({"input": ((0, 1),), "reasoning": ((0, 1),)}, "leaves output tokens out"),
    ],
)
def test_what_is_no_price_is_refused(units, words):
    """Nothing is free by silence."""
    with pytest.raises(BadRequest, match=words):
        check_rate(Rate("p", "sell", "", "", "EUR", units, 0, 0))
