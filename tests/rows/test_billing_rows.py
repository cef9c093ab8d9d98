"""Numbers, grants and papers, on both databases."""

import pytest

from primeur.billing import credit_rows, invoice_rows, usage_rows
from primeur.billing.rules.credits import Burn, Grant
from primeur.billing.rules.periods import DAY_MS, Span
from primeur.core.errors import Conflict
from primeur.core.usage import Usage, UsageEvent
from primeur.metering.rows import keep_usage


def test_a_number_goes_back_with_its_transaction(store):
    """So a series has no gaps; each issuer, kind and year has its own."""

    def take(tx, kind="invoice", year=2026):
        return invoice_rows.next_number(tx, kind, "ACME", year)

    def fail(tx):
        take(tx)
        raise ValueError

    assert store.transact_now(take) == "ACME-2026-00001"
    with pytest.raises(ValueError, match=r"^$"):
        store.transact_now(fail)
    assert store.transact_now(take) == "ACME-2026-00002"
    assert store.transact_now(lambda tx: take(tx, year=2027)) == "ACME-2027-00001"
    assert store.transact_now(lambda tx: take(tx, kind="credit_note")) == "ACME-C-2026-00001"


def test_no_grant_falls_below_zero(store):
    """Whoever tries changes nothing."""
    grant = Grant("crd_1", "cus_1", "gift", "promotion", "EUR", 10, 0, 0, 0)
    store.transact_now(lambda tx: credit_rows.add_grant(tx, grant))
    store.transact_now(lambda tx: credit_rows.keep_burns(tx, [Burn("crd_1", 0, 7)], credit_rows.USE, "inv_1", 0))
    with pytest.raises(Conflict, match="below zero"):
        store.transact_now(lambda tx: credit_rows.keep_burns(tx, [Burn("crd_1", 0, 4)], credit_rows.USE, "inv_2", 0))
    assert store.read_now(lambda tx: credit_rows.wallet_of(tx, "cus_1")).left == {"crd_1": 3}
    store.transact_now(lambda tx: credit_rows.keep_burns(tx, [Burn("crd_1", 0, 7)], credit_rows.RETURN, "inv_3", 0))
    assert store.read_now(lambda tx: credit_rows.wallet_of(tx, "cus_1")).left == {"crd_1": 10}


def test_usage_is_summed_by_day_whatever_its_price(store):
    """What has no price is beside what has, and refused requests are in neither."""
    day = 20_000 * DAY_MS
    events = [
        _event("req_1", day + 5, 7, "EUR"),
        _event("req_2", day + 9, None, None),
        _event("req_3", day + DAY_MS, 9, "EUR"),
        _event("req_4", day, None, None, outcome="refused"),
    ]
    store.transact_now(lambda tx: keep_usage(tx, events))
    span = Span(day, day + 2 * DAY_MS)
    found = store.read_now(lambda tx: usage_rows.sum_days(tx, span, {"prj_1"}))
    assert {(one.day_ms, one.tokens, one.cost_nanos, one.unpriced_tokens) for one in found} == {
        (day, 3, 7, 0), (day, 0, 0, 3), (day + DAY_MS, 3, 9, 0),
    }  # fmt: skip
    tokens = store.read_now(lambda tx: usage_rows.sum_tokens(tx, span, {"prj_1"}))
    assert tokens[day, "chat"] == (2, Usage(4, 2, 2))
    assert store.read_now(lambda tx: usage_rows.spent_after(tx, day + DAY_MS, {"prj_1", "x"}, "EUR")) == {
        "prj_1": 9, "x": 0,
    }  # fmt: skip
    costs = store.read_now(lambda tx: usage_rows.sum_costs(tx, span, "prj_1"))
    assert costs == {"EUR": {day: 7, day + DAY_MS: 9}}


def _event(name, at_ms, cost, currency, outcome="completed"):
    return UsageEvent(
        id=name, at_ms=at_ms, route="chat", outcome=outcome, status=200, project_id="prj_1", deployment="chat",
        usage=Usage() if outcome == "refused" else Usage(2, 1, 1), cost_nanos=cost, currency=currency,
    )  # fmt: skip
