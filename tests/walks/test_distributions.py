"""Recorded profit is shared out by tiers: tried, posted once, carried, paid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.billing.rules.periods import month_of, name_of
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.rows import find_project
from primeur.ledger import rows as ledger
from primeur.ledger.audit import prove
from primeur.ledger.distribution_rows import Distribution, standing_of
from primeur.ledger.rules.entries import SETTLEMENTS
from primeur.ledger.rules.tiers import read_tiers
from primeur.ledger.rules.waterfall import pay_next
from primeur.walks.book_usage import book_usage, read_terms

TIERS = {
    "currency": "EUR",
    "parties": ["investor", "house"],
    "minimum_distribution": "5.00",
    "tiers": [
        {"shares": {"investor": "75%", "house": "25%"}, "until": {"party": "investor", "has": "30"}},
        {"shares": {"investor": "1/3", "house": "2/3"}},
    ],
}


@pytest.fixture
async def shop(client):
    """A house with tiers that buys of the engine echo at 1 EUR a request."""
    made = [
        await client.put("/api/v1/deployments/chat", json={"engine": "echo"}),
        await client.post("/api/v1/rates", json={"provider": "echo", "request": "1"}),
        await client.put("/api/v1/tiers/founders", json=TIERS),
    ]
    assert [one.status_code for one in made] == [200, 201, 200], [one.text for one in made]
    return client


@pytest.fixture
def earn(founded):
    """Books one answer that earns so much."""
    count = 0

    async def book(at_ms, nanos):
        nonlocal count
        count += 1

        def work(tx):
            event = UsageEvent(
                id=f"req_{count:026d}", at_ms=at_ms, route="chat", outcome="completed", status=200,
                project_id=find_project(tx, "default").id, deployment="chat", provider="echo", usage=Usage(1, 0, 1),
                cost_nanos=nanos, currency="EUR",
            )  # fmt: skip
            book_usage(tx, [event], read_terms(tx))

        await founded.store.transact(work)

    return book


async def run(client, period, **ask):
    return await client.post("/api/v1/distributions/founders", json={"period": period, **ask})


async def test_a_months_profit_is_tried_posted_once_and_paid(shop, earn, founded, clock):
    """The remainder of a cent is posted; the parties are owed their parts, then have them."""
    month = month_of(clock.ms)
    await earn(clock.ms, 41_004_000_001)
    tried = (await run(shop, name_of(month), dry_run=True)).json()
    assert (await run(shop, name_of(month))).status_code == 409
    clock.ms = month.to_ms + 1
    made = (await run(shop, name_of(month))).json()
    assert (made["profit"], made["taken"], made["distributed"]) == ("40.004000001", "40.00", "40.00")
    assert made["paid"] == tried["paid"] == {"investor": "30.00", "house": "10.00"}
    again = (await run(shop, name_of(month))).json()
    assert (again["id"], again["fresh"], again["paid"]) == (made["id"], False, made["paid"])
    found = {(one.name, one.book): amount for one, amount in await founded.store.read(ledger.list_balances) if amount}
    owed = {name: amount for (name, book), amount in found.items() if name.startswith("Liabilities:Distributions")}
    assert owed == {"Liabilities:Distributions:Investor": -3000, "Liabilities:Distributions:House": -1000}
    assert abs(found["Expenses:Rounding", "requests"]) == 4_000_001
    place = f"/api/v1/distributions/founders/{name_of(month)}/paid"
    assert [(await shop.post(place)).status_code for _ in range(2)] == [200, 409]
    after = {(one.name, one.book): amount for one, amount in await founded.store.read(ledger.list_balances) if amount}
    assert after["Assets:Bank", SETTLEMENTS] == -4000
    assert not any(name.startswith("Liabilities:Distributions") for name, _ in after)
    assert (await founded.store.read(prove)).ok


async def test_what_is_too_small_or_lost_is_carried(shop, earn, clock):
    """A loss lowers the next distribution, and less than the minimum waits for it."""
    first = month_of(clock.ms)
    await earn(clock.ms, 4_000_000_000)
    clock.ms = first.to_ms + 1
    small = (await run(shop, name_of(first))).json()
    assert (small["distributed"], small["carried"]) == ("0.00", "3.00")
    second = month_of(clock.ms)
    await earn(clock.ms, 9_000_000_000)
    clock.ms = second.to_ms + 1
    assert (await run(shop, name_of(second))).json()["paid"] == {"investor": "8.25", "house": "2.75"}
    third = month_of(clock.ms)
    clock.ms = third.to_ms + 1
    given_amount = (await run(shop, name_of(third), amount="-100.00")).json()
    assert (given_amount["distributed"], given_amount["carried"]) == ("0.00", "-100.00")
    assert (await run(shop, name_of(first))).json()["fresh"] is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tiers": [{"shares": {"investor": "50%"}}]}, "sum to 1"),
        ({"caps": {"nobody": {"most": "1", "then": "house"}}}, "not among parties"),
        ({"currency": "USD"}, "cannot go on in USD"),
        ({"levels": []}, "unknown"),
    ],
)
async def test_tiers_that_cannot_be_are_refused(shop, earn, clock, change, words):
    """One clear error, and those before still hold."""
    month = month_of(clock.ms)
    await earn(clock.ms, 41_000_000_000)
    clock.ms = month.to_ms + 1
    await run(shop, name_of(month))
    refused = await shop.put("/api/v1/tiers/founders", json=TIERS | change)
    assert refused.status_code == 400
    assert words in refused.json()["error"]["message"]
    assert len((await shop.get("/api/v1/tiers")).json()["data"]) == 1


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_what_was_kept_of_each_period_pays_the_same_as_one_payment_of_all(amounts):
    """Also where the standing is read back from the rows of the periods; nobody is ever paid less than nothing."""
    _, waterfall = read_tiers("tiers", TIERS | {"minimum_distribution": "0"})
    kept: list[Distribution] = []
    for number, cents in enumerate(amounts):
        payment, after = pay_next(waterfall, standing_of(kept), str(number), cents)
        assert all(paid >= 0 for paid in payment.paid.values())
        row = Distribution(
            str(number), "x", str(number), "w", "posted", "EUR", 0, cents, payment.distributed, after.total, after.mark,
            after.cumulative, payment.paid, 0,
        )  # fmt: skip
        kept.insert(0, row)
    whole, _ = pay_next(waterfall, standing_of([]), "all", sum(amounts))
    if standing_of(kept).cumulative == sum(amounts):
        assert standing_of(kept).paid == whole.paid
