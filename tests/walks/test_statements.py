"""Statements of providers, partners and customers: tried, made final, numbered, paid, posted."""

import io

import pypdf
import pytest

from primeur.billing.rules.periods import DAY_MS, month_of, name_of
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.rows import find_project
from primeur.ledger import rows as ledger
from primeur.ledger.audit import prove
from primeur.ledger.rules.entries import SETTLEMENTS
from primeur.walks.book_usage import book_usage, read_terms

EUR = 1_000_000_000
BUY = {"provider": "echo", "currency": "EUR", "request": "1"}


@pytest.fixture
async def shop(client):
    """A house that buys of the engine echo and shares with a partner."""
    made = [
        await client.put("/api/v1/issuers/ACME", json={"name": "Acme SA"}),
        await client.put("/api/v1/deployments/chat", json={"engine": "echo"}),
        await client.post("/api/v1/customers", json={"name": "Lycée", "language": "fr"}),
        await client.post("/api/v1/shares", json={"partner": "star", "part": "20%"}),
    ]
    assert [one.status_code for one in made] == [200, 200, 201, 201], [one.text for one in made]
    return client


@pytest.fixture
def serve(founded):
    """Books answers of the default project as the batch writer does: each earns 5 EUR and is one request."""
    count = 0

    async def book(at_ms, many=1, **changes):
        nonlocal count

        def work(tx):
            project = find_project(tx, "default").id
            events = [
                UsageEvent(
                    **{
                        "id": f"req_{count + one:026d}", "at_ms": at_ms, "route": "chat", "outcome": "completed",
                        "status": 200, "project_id": project, "deployment": "chat", "provider": "echo",
                        "usage": Usage(10, 0, 5), "cost_nanos": 5 * EUR, "currency": "EUR",
                    } | changes
                )
                for one in range(many)
            ]  # fmt: skip
            book_usage(tx, events, read_terms(tx))

        await founded.store.transact(work)
        count += many

    return book


async def run(client, month, **ask):
    answer = await client.post("/api/v1/statements", json={"period": name_of(month), **ask})
    assert answer.status_code == 200, answer.text
    return {(one["kind"], one["party"]): one for one in answer.json()["data"]}


async def balances(house):
    found = await house.store.read(ledger.list_balances)
    return {(one.name, one.book): amount for one, amount in found if amount}


async def test_a_month_is_stated_once_with_the_ledgers_figures_and_paid(shop, serve, founded, clock):
    """A trial run says the same and leaves nothing; numbers count in a series for each kind."""
    month = month_of(clock.ms)
    await shop.post("/api/v1/rates", json=BUY | {"from_ms": month.from_ms})
    await serve(clock.ms, many=3)
    tried = await run(shop, month, dry_run=True, language="fr")
    assert (await shop.get("/api/v1/statements")).json()["data"] == []
    clock.ms = month.to_ms + 1
    made = await run(shop, month, language="fr")
    for key, total, number in (
        (("provider", "echo"), "3.00", "ACME-P-2026-00001"), (("partner", "star"), "3.00", "ACME-S-2026-00001")
    ):  # fmt: skip
        paper = made[key]["statement"]
        assert (paper["total"], paper["number"], paper["lines"][0]["quantity"]) == (total, number, 3)
        assert tried[key]["statement"]["lines"] == paper["lines"]
    again = await run(shop, month)
    assert [one["fresh"] for one in again.values()] == [False, False]
    found = await balances(founded)
    assert found["Liabilities:Payable:Echo", SETTLEMENTS] == found["Liabilities:Payable:Star", SETTLEMENTS] == -300
    assert not any(name.startswith("Liabilities:Payable") for name, book in found if book != SETTLEMENTS)
    paid = await shop.post("/api/v1/statements/ACME-P-2026-00001/paid")
    assert paid.json()["state"] == "paid"
    assert (await shop.post("/api/v1/statements/ACME-P-2026-00001/paid")).status_code == 409
    assert ("Liabilities:Payable:Echo", SETTLEMENTS) not in await balances(founded)
    text = pypdf.PdfReader(io.BytesIO((await shop.get("/api/v1/statements/ACME-P-2026-00001/pdf")).content))
    assert "Relevé de capacité" in text.pages[0].extract_text()
    assert (await founded.store.read(prove)).ok


async def test_prepaid_capacity_is_burned_by_priority_then_by_what_expires_first(shop, serve, founded, clock):
    """What no credit covers is owed, what is left when its time is over is lost; granted = used + expired + left."""
    clock.ms = month_of(clock.ms).from_ms + DAY_MS
    month = month_of(clock.ms)
    await shop.post("/api/v1/rates", json=BUY | {"prepaid": True})
    for name, amount, priority, days in (("late", "4", 1, 20), ("soon", "2", 1, 10), ("last", "100", 9, 2)):
        made = await shop.post("/api/v1/credits", json={
            "holder": "provider:echo", "name": name, "amount": amount, "priority": priority, "days": days,
            "kind": "compute",
        })  # fmt: skip
        assert made.status_code == 201, made.text
    await serve(clock.ms, many=3)
    await serve(clock.ms + 15 * DAY_MS, many=5)
    clock.ms = month.to_ms + 1
    paper = (await run(shop, month, kind="provider"))["provider", "echo"]["statement"]
    burnt = {line["label"]: line["amount"] for line in paper["lines"] if line["kind"] == "credit"}
    assert burnt == {"soon": "-2", "late": "-4"}
    assert paper["total"] == "2.00"
    found = await balances(founded)
    assert ("Assets:Prepaid:Echo", "requests") not in found
    assert found["Expenses:Expired-Credits", "requests"] == 100 * EUR
    assert found["Liabilities:Payable:Echo", SETTLEMENTS] == -200
    for one in (await shop.get("/api/v1/credits?holder=provider:echo")).json()["data"]:
        assert float(one["granted"]) == float(one["used"]) + float(one["expired"]) + float(one["left"])


async def test_a_months_tiers_are_settled_with_its_papers(shop, serve, founded, clock):
    """Requests are booked at the first tier, whatever their order; the statement and the invoice say the rest."""
    month = month_of(clock.ms)
    tiers = [{"above": 0, "price": "1"}, {"above": 4, "price": "0.5"}]
    await shop.post("/api/v1/rates", json=BUY | {"request": tiers, "per": "month", "from_ms": month.from_ms})
    sell = {"customer": "Lycée", "request": [{"above": 0, "price": "3"}, {"above": 6, "price": "2"}]}
    await shop.post("/api/v1/rates", json=sell | {"per": "month", "from_ms": month.from_ms})
    await serve(clock.ms, many=4)
    await serve(clock.ms + 1000, many=4)
    clock.ms = month.to_ms + 1
    paper = (await run(shop, month))["provider", "echo"]["statement"]
    assert [(line["kind"], line["amount"]) for line in paper["lines"]] == [("bought", "8"), ("volume", "-2")]
    invoice = (await shop.post("/api/v1/invoices", json={"period": name_of(month)})).json()["data"][0]["invoice"]
    assert [(line["kind"], line["amount"]) for line in invoice["lines"]] == [("usage", "24"), ("volume", "-2")]
    found = await balances(founded)
    assert found["Expenses:Capacity:Echo", "requests"] == 6 * EUR
    open_accounts = ("Assets:Receivable", "Liabilities:Payable")
    assert not any(name.startswith(open_accounts) for name, book in found if book != SETTLEMENTS)
    assert (await founded.store.read(prove)).ok


async def test_what_comes_late_is_a_line_of_the_next_statement_and_final_months_take_no_price(shop, serve, clock):
    """A final statement never changes."""
    first = month_of(clock.ms)
    await shop.post("/api/v1/rates", json=BUY | {"from_ms": first.from_ms})
    await serve(clock.ms)
    clock.ms = first.to_ms + 1
    await run(shop, first)
    for path, ask in (
        ("rates", BUY | {"request": "2", "from_ms": first.from_ms}),
        ("shares", {"partner": "star", "part": "1%", "from_ms": first.to_ms - 1}),
    ):
        refused = await shop.post(f"/api/v1/{path}", json=ask)
        assert (refused.status_code, "is final" in refused.json()["error"]["message"]) == (409, True)
    await serve(first.to_ms - 1)
    second = month_of(clock.ms)
    clock.ms = second.to_ms + 1
    paper = (await run(shop, second, kind="provider"))["provider", "echo"]["statement"]
    assert [(line["kind"], line["label"], line["amount"]) for line in paper["lines"]] == [
        ("correction", name_of(first), "1")
    ]


async def test_a_customers_account_opens_where_the_last_month_closed(shop, serve, clock):
    """Invoices, credit notes and payments, in their order."""
    month = month_of(clock.ms)
    await serve(clock.ms, many=2)
    clock.ms = month.to_ms + 1
    made = (await shop.post("/api/v1/invoices", json={"period": name_of(month)})).json()["data"][0]["invoice"]
    clock.ms += DAY_MS
    await shop.post(f"/api/v1/invoices/{made['number']}/paid")
    told = (await shop.get("/api/v1/customers/Lycée/statement", params={"period": name_of(month_of(clock.ms))})).json()
    assert (told["opening"], told["closing"]) == ("0.00", "0.00")
    assert [(one["kind"], one["amount"]) for one in told["movements"]] == [("invoice", "10.00"), ("payment", "-10.00")]
    before = (await shop.get("/api/v1/customers/Lycée/statement", params={"period": name_of(month)})).json()
    assert (before["movements"], before["closing"]) == ([], told["opening"])
    drawn = await shop.get("/api/v1/customers/Lycée/statement/pdf", params={"period": name_of(month_of(clock.ms))})
    assert "Relevé de compte" in pypdf.PdfReader(io.BytesIO(drawn.content)).pages[0].extract_text()
