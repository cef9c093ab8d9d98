"""Sums of money follow the ledger on both databases: by day, once each, taken back with what is taken back."""

from fractions import Fraction

from primeur.billing.money_rows import list_money, sum_on
from primeur.billing.rules.periods import DAY_MS, Span
from primeur.billing.served_rows import count_served
from primeur.core.usage import Usage, UsageEvent
from primeur.ledger import rows as ledger
from primeur.ledger.rules.entries import Account, Entry, reversal
from primeur.metering.rate_rows import add_rate, add_share
from primeur.metering.rates import Rate, Share
from primeur.metering.unpriced_rows import sum_served
from primeur.metering.volume_rows import bought_volume
from primeur.walks.book_usage import book_usage, read_terms

ALL = Span(0, 10 * DAY_MS)
BUY = Rate("price_1", "buy", "rack", "", "EUR", {"request": ((0, 10), (2, 4))}, 0, 1, prepaid=True, per="month")


def event(number: int, **changes) -> UsageEvent:
    made = {
        "id": f"req_{number:04d}", "at_ms": number * DAY_MS // 2, "route": "chat", "outcome": "completed",
        "status": 200, "project_id": "acme", "deployment": "gpt", "provider": "rack", "usage": Usage(10, 0, 5),
        "cost_nanos": 100, "currency": "EUR",
    }  # fmt: skip
    return UsageEvent(**made | changes)


def sums(store):
    found: dict[str, tuple[int, int]] = {}
    for one in store.read_now(lambda tx: list_money(tx, ALL)):
        count, nanos = found.get(one.side, (0, 0))
        found[one.side] = (count + one.requests, nanos + one.nanos)
    return found


def test_what_requests_and_others_book_is_summed_once(store):
    """However often it is looked; a reversal takes its request off again."""
    fee = Entry(
        "invoice:1", "invoice", DAY_MS, ((Account("Assets:Bank", "EUR"), 7), (Account("Income:Plans", "EUR"), -7))
    )

    def work(tx):
        add_rate(tx, BUY)
        add_share(tx, Share("share_1", "", "", "star", Fraction(1, 4), 0, 1))
        book_usage(tx, [event(1), event(2), event(3), event(4, cost_nanos=None, currency=None)], read_terms(tx))
        ledger.post(tx, fee)

    store.transact_now(work)
    assert [store.transact_now(sum_on) for _ in range(2)] == [False, False]
    whole = {"sold": (3, 300), "bought": (4, 40), "ahead": (4, 40), "shared": (3, 75), "other": (1, 7)}
    assert sums(store) == whole
    back = store.read_now(lambda tx: reversal(ledger.find(tx, "req_0001").entry, key="back", at_ms=5))
    store.transact_now(lambda tx: ledger.post(tx, back))
    store.transact_now(sum_on)
    less = {"sold": (2, 200), "bought": (3, 30), "ahead": (3, 30), "shared": (2, 50), "other": (1, 7)}
    assert sums(store) == less


def test_what_was_served_is_counted_with_what_has_no_price(store):
    """And a month's tiers see all of it."""
    events = [event(1), event(2), event(3, cost_nanos=None, currency=None), event(5, usage=Usage())]

    def work(tx):
        add_rate(tx, BUY)
        book_usage(tx, events, read_terms(tx))
        served = count_served(tx, ALL)
        (used,) = sum_served(tx, from_ms=0, to_ms=ALL.to_ms)
        volume = bought_volume(tx, (0, ALL.to_ms), "rack", "EUR", [BUY])
        return sum(one.requests for one in served), sum(one.unsold for one in served), used, volume

    requests, unsold, used, volume = store.transact_now(work)
    assert (requests, unsold, used.requests, used.unsold, used.unsold_tokens) == (3, 1, 3, 1, 15)
    assert volume == {"gpt": -6}
