"""Months charged and invoiced: sums that come out, whatever the order, to the nano and to the cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.billing.rules.charging import INCLUDED, UNPRICED, Line, Month, UsageSum, charge_month
from primeur.billing.rules.credits import Grant, Wallet
from primeur.billing.rules.invoicing import (
    CREDIT_NOTE,
    INVOICE,
    PAPER,
    check_next,
    draft_invoice,
    nanos_per_cent,
    number_text,
    take_back,
    to_cents,
)
from primeur.billing.rules.periods import DAY_MS, month_named, month_of
from primeur.billing.rules.plans import Plan
from primeur.billing.rules.subscriptions import change_terms, first_terms
from primeur.core.errors import BadRequest, Conflict
from primeur.core.money import NANOS

MONTH = month_named("2026-11")
LIST = Plan("plan_1", "list", "EUR", 5 * NANOS, 1_000, 0)
FLAT = Plan("plan_2", "flat", "EUR", 20 * NANOS, 5_000, 0, overage_nanos=300)
PLANS = {plan.id: plan for plan in (LIST, FLAT)}


def used(day, tokens, cost, deployment="chat", *, currency="EUR", unpriced=0):
    return UsageSum(MONTH.from_ms + day * DAY_MS, deployment, 1, tokens, cost, currency, unpriced)


sums = st.lists(
    st.builds(used, st.integers(0, 29), st.integers(0, 10**6), st.integers(0, 10**12), st.sampled_from(["a", "b"])),
    max_size=20,
)


@given(sums, st.booleans(), st.randoms())
def test_the_order_of_arrival_changes_nothing(usage, flat, dice):
    """Late, early, shuffled: the same lines and the same charges."""
    terms = first_terms(FLAT if flat else LIST, 1, MONTH.from_ms)[1]
    shuffled = list(usage)
    dice.shuffle(shuffled)
    assert charge_month(MONTH, shuffled, terms, PLANS, "EUR") == charge_month(MONTH, usage, terms, PLANS, "EUR")


@given(sums, st.integers(1, 29))
def test_what_the_days_add_is_what_the_lines_say(usage, day):
    """So that credits pay exactly what is charged, also when the plan changes in between."""
    terms = first_terms(LIST, 1, MONTH.from_ms)[1]
    terms = change_terms(terms, FLAT, 1, MONTH.from_ms + day * DAY_MS)
    month = charge_month(MONTH, usage, terms, PLANS, "EUR")
    assert sum(one.nanos for one in month.charges) == month.nanos


@given(sums, st.integers(1, 10**14))
def test_credits_pay_and_the_rest_is_owed(usage, granted):
    """Charged = paid by credits + owed, and cents and remainder are the nanos."""
    month = charge_month(MONTH, usage, (), PLANS, "EUR")
    grant = Grant("crd_1", "cus_1", "wallet", "prepaid", "EUR", granted, 0, MONTH.from_ms, 0)
    draft = draft_invoice(MONTH, month, {}, Wallet([grant], {"crd_1": granted}), "EUR")
    paid = sum(one.nanos for one in draft.burns)
    assert paid == min(granted, month.nanos)
    assert draft.nanos == month.nanos - paid
    assert draft.cents * nanos_per_cent("EUR") + draft.remainder_nanos == draft.nanos


@given(st.integers(-(10**18), 10**18), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_cents_and_remainder_are_the_nanos(nanos, currency):
    """The remainder is half a cent at most, and rounding is the same for what is owed and what is given back."""
    cents, remainder = to_cents(nanos, currency)
    assert cents * nanos_per_cent(currency) + remainder == nanos
    assert abs(remainder) * 2 <= nanos_per_cent(currency)
    assert to_cents(-nanos, currency) == (-cents, -remainder)


def test_included_tokens_lift_the_average():
    """Half of the tokens are included, so half of the cost is taken off; beyond is charged."""
    month = charge_month(MONTH, [used(0, 500, 900), used(9, 1_500, 100)], first_terms(LIST, 1, 0)[1], PLANS, "EUR")
    (off,) = (line for line in month.lines if line.kind == INCLUDED)
    assert (off.quantity, off.nanos) == (1_000, -500)
    assert month.nanos == LIST.fee_nanos + 500


def test_what_has_no_price_is_unknown_and_never_zero():
    """Unless the plan has a price for every token."""
    usage = [used(0, 0, 0, currency=None, unpriced=400)]
    month = charge_month(MONTH, usage, (), PLANS, "EUR")
    assert month.lines == (Line(UNPRICED, "chat", None, 400, MONTH, "2026-11"),)
    flat = charge_month(MONTH, usage, first_terms(FLAT, 1, 0)[1], PLANS, "EUR")
    assert [line.kind for line in flat.lines] == ["fee", "usage", "included"]


@pytest.mark.parametrize("terms", [(), first_terms(LIST, 1, 0)[1]])
def test_a_mix_of_currencies_is_refused(terms):
    """A price in dollars on an invoice in euros, and a plan in euros on one in dollars."""
    with pytest.raises(BadRequest, match="never mixed"):
        charge_month(MONTH, [used(0, 5, 5, currency="USD")], terms, PLANS, "EUR")
    if terms:
        with pytest.raises(BadRequest, match="the plan 'list' is in EUR"):
            charge_month(MONTH, [], terms, PLANS, "USD")


@given(st.integers(-(10**15), 10**15))
def test_what_came_late_is_one_line_of_the_open_month(late):
    """More or less than was invoiced; where more is given back than charged, it is a credit note."""
    draft = draft_invoice(MONTH, Month((), ()), {"2026-10": late}, Wallet(), "EUR")
    assert draft.nanos == late
    assert len(draft.lines) == (late != 0)
    assert draft.kind == (CREDIT_NOTE if draft.cents < 0 else INVOICE)


@given(sums)
def test_a_credit_note_takes_an_invoice_back_to_the_nano(usage):
    """Line by line, and in cents."""
    month = charge_month(MONTH, usage, first_terms(LIST, 1, MONTH.from_ms)[1], PLANS, "EUR")
    back = take_back(month.lines)
    assert sum((line.nanos or 0) + (other.nanos or 0) for line, other in zip(month.lines, back, strict=True)) == 0


def test_what_expires_within_the_month_is_lost_after_it_paid():
    """Not before: what was used until then is paid first."""
    grant = Grant("crd_1", "cus_1", "gift", "promotion", "EUR", 100, 0, 0, 0, MONTH.from_ms + 5 * DAY_MS)
    month = charge_month(MONTH, [used(4, 1, 30), used(5, 1, 30)], (), PLANS, "EUR")
    draft = draft_invoice(MONTH, month, {}, Wallet([grant], {"crd_1": 100}), "EUR")
    assert (sum(b.nanos for b in draft.burns), sum(b.nanos for b in draft.lost)) == (30, 70)


def test_months_are_invoiced_when_they_are_over_and_in_their_order():
    """A final month is not opened again."""
    check_next(MONTH, month_of(MONTH.from_ms - 1), MONTH.to_ms)
    with pytest.raises(Conflict, match="not over"):
        check_next(MONTH, None, MONTH.to_ms - 1)
    with pytest.raises(Conflict, match="2026-11 is final already"):
        check_next(month_of(MONTH.from_ms - 1), MONTH, MONTH.to_ms)


def test_numbers_and_states():
    """Credit notes count in their own series; a credited paper is at its end."""
    assert number_text(INVOICE, "ACME", 2026, 7) == "ACME-2026-00007"
    assert number_text(CREDIT_NOTE, "ACME", 2026, 7) == "ACME-C-2026-00007"
    assert {"credited"} == PAPER.ends
