"""Plans and subscriptions: parts of a month, trials, changes, and what is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.billing.rules.periods import DAY_MS, Span, month_named, month_of, name_of, year_of
from primeur.billing.rules.plans import Plan, access_of, check_currency, check_removal, month_fee, part
from primeur.billing.rules.subscriptions import (
    ACTIVE,
    SUBSCRIPTION,
    TRIALING,
    Subscription,
    change_terms,
    charge_terms,
    cut_terms,
    due_move,
    first_terms,
    resume_terms,
    term_at,
)
from primeur.core.errors import BadRequest, Conflict

MONTH = month_named("2026-11")
SMALL = Plan("plan_s", "small", "EUR", 20_000_000_001, 1_000_003, 0)
LARGE = Plan("plan_l", "large", "EUR", 100_000_000_007, 9_000_001, 0, seats=5, seat_fee_nanos=7)
TRIED = Plan("plan_t", "tried", "EUR", 30_000_000_000, 300, 0, trial_days=10)
PLANS = {plan.id: plan for plan in (SMALL, LARGE, TRIED)}


def test_months_are_those_of_the_calendar_in_utc():
    """February of a leap year, and the turn of the year."""
    assert month_named("2028-02").length_ms == 29 * DAY_MS
    assert name_of(month_of(month_named("2026-12").to_ms)) == "2027-01"
    assert year_of(MONTH.from_ms).holds(MONTH.to_ms - 1)
    with pytest.raises(BadRequest, match="write it as 2026-11"):
        month_named("2026-13")


@given(st.integers(0, 10**15), st.lists(st.integers(0, MONTH.length_ms), max_size=9))
def test_the_parts_of_a_month_sum_up_to_it_wherever_it_is_cut(amount, cuts):
    """No remainder is lost, and none is charged twice."""
    edges = sorted({0, MONTH.length_ms, *cuts})
    pieces = [Span(MONTH.from_ms + a, MONTH.from_ms + b) for a, b in pairwise(edges)]
    parts = [part(amount, MONTH, piece) for piece in pieces]
    assert sum(parts) == amount
    assert all(each >= 0 for each in parts)


@given(st.lists(st.tuples(st.integers(1, MONTH.length_ms - 1), st.booleans()), max_size=6))
def test_whatever_changes_within_a_month_it_costs_between_its_cheapest_and_its_dearest_plan(moves):
    """And its terms follow each other without a gap."""
    _, terms = first_terms(SMALL, 1, MONTH.from_ms)
    for after, larger in sorted(moves):
        plan = LARGE if larger else SMALL
        now = term_at(terms, MONTH.from_ms + after)
        if now.plan_id != plan.id:
            terms = change_terms(terms, plan, 1, MONTH.from_ms + after)
    assert all(one.to_ms == other.from_ms for one, other in pairwise(terms))
    charged = charge_terms(terms, PLANS, MONTH)
    assert SMALL.fee_nanos <= sum(one.fee_nanos for one in charged) <= LARGE.fee_nanos
    assert SMALL.included_tokens <= sum(one.included_tokens for one in charged) <= LARGE.included_tokens


def test_an_upgrade_in_mid_month_costs_half_of_each():
    """To the nano: the remainders of both halves are where the rule puts them."""
    _, terms = first_terms(SMALL, 1, MONTH.from_ms)
    terms = change_terms(terms, LARGE, 1, MONTH.from_ms + MONTH.length_ms // 2)
    assert [one.fee_nanos for one in charge_terms(terms, PLANS, MONTH)] == [10_000_000_000, 50_000_000_004]


def test_a_trial_charges_no_fee_and_keeps_its_end_when_the_plan_changes():
    """Ten days of thirty are free, under whichever plan."""
    state, terms = first_terms(TRIED, 1, MONTH.from_ms)
    assert state == TRIALING
    assert sum(one.fee_nanos for one in charge_terms(terms, PLANS, MONTH)) == 20_000_000_000
    terms = change_terms(terms, SMALL, 1, MONTH.from_ms + DAY_MS)
    assert [term.trial for term in terms] == [True, True, False]
    assert sum(one.fee_nanos for one in charge_terms(terms, PLANS, MONTH)) == SMALL.fee_nanos - part(
        SMALL.fee_nanos, MONTH, Span(MONTH.from_ms, MONTH.from_ms + 10 * DAY_MS)
    )


def test_a_cancelled_subscription_ends_and_can_be_resumed_before():
    """Nothing runs after its end; resumed, the same plan goes on and no trial is charged after the fact."""
    _, terms = first_terms(TRIED, 1, MONTH.from_ms)
    cut = cut_terms(terms, MONTH.from_ms + 3 * DAY_MS)
    assert term_at(cut, MONTH.from_ms + 3 * DAY_MS) is None
    again = resume_terms(cut, MONTH.from_ms + 2 * DAY_MS)
    assert sum(one.fee_nanos for one in charge_terms(again, PLANS, MONTH)) == 28_000_000_000


def test_seats_beyond_those_included_cost_or_are_refused():
    """By the plan's own word."""
    assert month_fee(LARGE, 7) == LARGE.fee_nanos + 14
    with pytest.raises(BadRequest, match="has 3 seats, not 4"):
        month_fee(Plan("p", "p", "EUR", 0, 0, 0, seats=3), 4)


def test_what_cannot_be_is_refused_in_words():
    """The same plan again, a plan under a subscriber, a mix of currencies."""
    _, terms = first_terms(SMALL, 1, MONTH.from_ms)
    with pytest.raises(Conflict, match="already"):
        change_terms(terms, SMALL, 1, MONTH.from_ms + 5)
    with pytest.raises(Conflict, match="subscribe anew"):
        change_terms(cut_terms(terms, MONTH.to_ms), LARGE, 1, MONTH.to_ms)
    with pytest.raises(Conflict, match="has 2 subscribers; move them"):
        check_removal(SMALL, 2)
    with pytest.raises(BadRequest, match="never mixed"):
        check_currency("the plan 'small'", "USD", "EUR")
    check_removal(SMALL, 0)


def test_the_clock_moves_what_is_due():
    """A trial begins to be paid, a cancelled subscription ends; nothing else moves by itself."""
    trial = Subscription("sub_1", "cus_1", TRIALING, 0, trial_ends_ms=5)
    assert (due_move(trial, 4), due_move(trial, 5)) == (None, "begin")
    assert due_move(Subscription("sub_1", "cus_1", "cancelled", 0, ends_ms=9), 9) == "end"
    assert due_move(Subscription("sub_1", "cus_1", ACTIVE, 0), 1 << 60) is None


def test_every_state_can_be_left_but_the_end():
    """And the end is one."""
    assert {"ended"} == SUBSCRIPTION.ends


def test_a_plan_opens_deployments_by_name_or_alias():
    """None is all."""
    assert access_of(SMALL, {}) is None
    some = Plan("p", "p", "EUR", 0, 0, 0, deployments=frozenset({"latest", "x"}))
    assert access_of(some, {"latest": "gpt"}) == {"gpt", "x"}
