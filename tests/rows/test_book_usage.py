"""Usage is booked: rows, transactions and balances, each request once."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from primeur.core.errors import BadRequest, SetupError
from primeur.core.price import Price
from primeur.core.usage import Usage, UsageEvent
from primeur.ledger import rows as ledger
from primeur.ledger.audit import prove
from primeur.metering.rate_rows import add_rate, add_share
from primeur.metering.rates import Rate, Share
from primeur.walks.book_usage import book_usage, read_terms
from primeur.walks.replay_ledger import replay_ledger

SHARED = Path(__file__).parents[2] / ".." / "shared"


def event(number: int, **changes) -> UsageEvent:
    made = {
        "id": f"req_{number:04d}", "at_ms": number * 1000, "route": "chat", "outcome": "completed", "status": 200,
        "project_id": "acme", "deployment": "gpt", "provider": "rack", "usage": Usage(10, 0, 5),
        "cost_nanos": 100, "currency": "EUR",
    }  # fmt: skip
    return UsageEvent(**made | changes)


def test_a_request_books_what_it_earns_and_costs_once(store):
    """Unknown prices book nothing, nor does a request that made nothing."""
    buy = Rate("price_1", "buy", "rack", "", "USD", {"input": ((0, 1),), "output": ((0, 2), (4, 10))}, 2000, 1)
    share = Share("price_2", "rack", "", "partner", Fraction(1, 3), 0, 1)
    events = [event(1), event(2), event(2), event(3, cost_nanos=None, currency=None), event(4, usage=Usage())]

    def work(tx):
        add_rate(tx, buy)
        add_share(tx, share)
        return book_usage(tx, events, read_terms(tx)), book_usage(tx, events[::-1], read_terms(tx))

    assert store.transact_now(work) == (4, 0)
    found = {f"{one.name} {one.currency}": amount for one, amount in store.read_now(ledger.list_balances)}
    assert found == {
        "Assets:Receivable:Acme EUR": 200, "Income:Inference:Gpt EUR": -200, "Expenses:Capacity:Rack USD": 56,
        "Liabilities:Payable:Rack USD": -56, "Expenses:Revenue-share:Partner EUR": 66,
        "Liabilities:Payable:Partner EUR": -66,
    }  # fmt: skip
    assert store.read_now(prove).transactions == 3


def test_a_recorded_trace_comes_to_the_golden_sums(tmp_path):
    """Every row, to the nano."""
    if not SHARED.is_dir():
        pytest.skip("the recorded traces are not here")
    golden = json.loads((SHARED / "golden" / "azure_conv_totals.json").read_text())
    sell, buy = Price("s", "USD", 2500, 2500, 10_000), Price("b", "USD", 900, 900, 3600)
    trace = SHARED / golden["file"]
    found = replay_ledger(trace, sell=sell, buy=buy, part=Fraction(1, 5), into=tmp_path / "new.db")
    names = ("requests", "revenue_nanos", "cost_nanos", "revenue_share_nanos", "margin_nanos")
    assert {name: getattr(found, name) for name in names} == {name: golden[name] for name in names}
    with pytest.raises(SetupError, match="there already"):
        replay_ledger(trace, sell=sell, buy=buy, part=Fraction(0), into=tmp_path / "new.db")
    with pytest.raises(BadRequest, match="--most"):
        replay_ledger(trace, sell=sell, buy=buy, part=Fraction(0), most=10)
