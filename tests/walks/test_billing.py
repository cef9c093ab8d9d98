"""Plans, credits and invoices over the management API: tried, made final, numbered, paid, taken back, posted."""

import io

import pypdf
import pytest

from primeur.billing.rules.periods import DAY_MS, month_of, name_of
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.rows import find_project
from primeur.ledger import rows as ledger
from primeur.ledger.rules.entries import SETTLEMENTS
from primeur.walks.book_invoice import owed_by
from primeur.walks.book_usage import Terms, book_usage
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.move_subscriptions import move_due

EUR = 1_000_000_000


@pytest.fixture
async def shop(client):
    """A house that invoices, with two plans and a customer."""
    answers = [
        await client.put("/api/v1/issuers/ACME", json={"name": "Acme SA", "address": "1 rue du Bac\nParis"}),
        await client.post("/api/v1/plans", json={"name": "small", "fee": "30", "included_tokens": 1000}),
        await client.post("/api/v1/plans", json={"name": "large", "fee": "90", "rpm": 60, "deployments": ["chat"]}),
        await client.post("/api/v1/customers", json={"name": "Lycée", "language": "fr", "email": "x@example.org"}),
    ]
    assert [one.status_code for one in answers] == [200, 201, 201, 201]
    return client


@pytest.fixture
def use(founded):
    """Books a request of the default project: its usage row, and what it owes."""
    count = 0

    async def write(at_ms, cost, tokens=1000, currency="EUR"):
        nonlocal count
        count += 1
        name = f"req_{count:026d}"

        def work(tx):
            project = find_project(tx, "default").id
            event = UsageEvent(
                id=name, at_ms=at_ms, route="chat", outcome="completed", status=200, project_id=project,
                deployment="chat", usage=Usage(tokens), cost_nanos=cost, currency=currency,
            )  # fmt: skip
            book_usage(tx, [event], Terms())

        await founded.store.transact(work)

    return write


async def run(client, month, **ask):
    answer = await client.post("/api/v1/invoices", json={"period": name_of(month), **ask})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def balances(house):
    found = await house.store.read(ledger.list_balances)
    return {(account.name, account.book): amount for account, amount in found}


async def test_a_change_of_plan_is_tried_and_then_made_with_the_same_figures(shop):
    """The trial run leaves nothing behind."""
    first = await shop.post("/api/v1/subscriptions/Lycée", json={"plan": "small"})
    assert first.status_code == 201
    tried = await shop.patch("/api/v1/subscriptions/Lycée", json={"plan": "large", "dry_run": True})
    assert (await shop.get("/api/v1/subscriptions/Lycée")).json()["terms"] == first.json()["terms"]
    made = await shop.patch("/api/v1/subscriptions/Lycée", json={"plan": "large"})
    assert made.json()["month_fee"] == tried.json()["month_fee"] != first.json()["month_fee"]
    assert made.json()["before"] == first.json()["month_fee"]


async def test_what_cannot_be_is_refused_and_changes_nothing(shop):
    """A plan under a subscriber, a mix of currencies, a second subscription, a month that runs, an unknown plan."""
    await shop.post("/api/v1/plans", json={"name": "dollars", "currency": "USD"})
    wrong = await shop.post("/api/v1/subscriptions/Lycée", json={"plan": "dollars"})
    assert (wrong.status_code, "never mixed" in wrong.text) == (400, True)
    credit = {"holder": "Lycée", "name": "x", "amount": "5", "currency": "USD"}
    assert (await shop.post("/api/v1/credits", json=credit)).status_code == 400
    await shop.post("/api/v1/subscriptions/Lycée", json={"plan": "small"})
    assert (await shop.post("/api/v1/subscriptions/Lycée", json={"plan": "large"})).status_code == 409
    kept = await shop.delete("/api/v1/plans/small")
    assert (kept.status_code, "has 1 subscribers" in kept.text) == (409, True)
    assert (await shop.delete("/api/v1/plans/dollars")).json()["removed_ms"] is not None
    assert (await shop.post("/api/v1/invoices", json={"period": "2026-9"})).status_code == 400


async def test_a_month_is_tried_invoiced_once_and_posted(shop, founded, clock, use):
    """Fee, usage less what is included, a credit that pays; the ledger holds what the invoice says."""
    await shop.post("/api/v1/subscriptions/Lycée", json={"plan": "small"})
    month = month_of(clock.ms)
    await shop.post("/api/v1/credits", json={"holder": "Lycée", "name": "gift", "amount": "2", "kind": "promotion"})
    await use(clock.ms, 3 * EUR + 1, tokens=1500)
    await use(month.to_ms, 5 * EUR)
    (tried,) = await run(shop, month, dry_run=True)
    assert (tried["invoice"]["number"], tried["fault"]) == ("", "")
    early = await run(shop, month)
    assert "not over" in early[0]["fault"]
    clock.ms = month.to_ms + DAY_MS
    (made,) = await run(shop, month)
    paper = made["invoice"]
    assert paper["number"] == "ACME-2026-00001"
    assert [line["kind"] for line in paper["lines"]] == ["fee", "usage", "included", "credit"]
    assert (paper["nanos"], paper["lines"]) == (tried["invoice"]["nanos"], tried["invoice"]["lines"])
    assert sum(line["nanos"] for line in paper["lines"]) == paper["nanos"]
    (again,) = await run(shop, month)
    assert (again["fresh"], again["invoice"]["number"]) == (False, paper["number"])
    books = await balances(founded)
    owed = owed_by(paper["customer_id"])
    assert books[owed, SETTLEMENTS] == paper["total_cents"]
    assert books[owed, "requests"] == 0
    (left,) = [amount for (name, _), amount in books.items() if name.startswith("Assets:Receivable")]
    assert left == 5 * EUR
    assert books["Expenses:Rounding", "requests"] == paper["remainder_nanos"]
    for book in ("requests", SETTLEMENTS):
        assert sum(amount for (_, one), amount in books.items() if one == book) == 0
    (credit,) = (await shop.get("/api/v1/credits")).json()["data"]
    assert (credit["used"], credit["left"]) == ("2", "0")


async def test_what_comes_late_is_a_line_of_the_next_invoice(shop, clock, use):
    """The final invoice stays as it was, and no number is missing."""
    month = month_of(clock.ms)
    await use(clock.ms, EUR)
    clock.ms = month.to_ms + 1
    (first,) = await run(shop, month)
    await use(month.from_ms + 5, 2 * EUR)
    assert (await shop.get("/api/v1/invoices/ACME-2026-00001")).json() == first["invoice"]
    after = month_of(clock.ms)
    clock.ms = after.to_ms + 1
    (second,) = await run(shop, after)
    (line,) = second["invoice"]["lines"]
    assert (line["kind"], line["label"], line["nanos"]) == ("correction", name_of(month), 2 * EUR)
    assert second["invoice"]["number"] == "ACME-2026-00002"
    (third,) = await run(shop, month_of(after.to_ms), dry_run=True)
    assert third["invoice"] is None


async def test_an_invoice_is_taken_back_and_made_anew(shop, founded, clock, use):
    """The credit note has a series of its own; credits are given back; the books are as before."""
    await shop.post("/api/v1/credits", json={"holder": "Lycée", "name": "wallet", "amount": "1"})
    month = month_of(clock.ms)
    await use(clock.ms, 4 * EUR)
    clock.ms = month.to_ms + 1
    before = await balances(founded)
    (made,) = await run(shop, month)
    note = (await shop.post("/api/v1/invoices/ACME-2026-00001/credit-note")).json()
    assert (note["number"], note["total"], note["corrects"]) == ("ACME-C-2026-00001", "-3.00", made["invoice"]["id"])
    books = await balances(founded)
    assert {place: amount for place, amount in books.items() if amount} == {k: v for k, v in before.items() if v}
    assert (await shop.get("/api/v1/credits")).json()["data"][0]["left"] == "1"
    assert (await shop.post("/api/v1/invoices/ACME-2026-00001/credit-note")).status_code == 409
    (anew,) = await run(shop, month)
    assert (anew["invoice"]["number"], anew["invoice"]["total"]) == ("ACME-2026-00002", "3.00")
    assert (await shop.post("/api/v1/invoices/ACME-2026-00002/paid")).json()["state"] == "paid"
    assert (await balances(founded))["Assets:Bank", SETTLEMENTS] == 300


async def test_a_mix_of_currencies_keeps_a_customer_from_being_invoiced_and_burns_no_number(shop, clock, use):
    """The fault says which price."""
    month = month_of(clock.ms)
    await use(clock.ms, EUR, currency="USD")
    clock.ms = month.to_ms + 1
    (made,) = await run(shop, month)
    assert "the price of 'chat' is in USD" in made["fault"]
    assert (await shop.get("/api/v1/invoices")).json()["data"] == []


async def test_a_pdf_says_what_the_json_says(shop, clock, use):
    """In the customer's language."""
    month = month_of(clock.ms)
    await use(clock.ms, 4 * EUR + 1)
    clock.ms = month.to_ms + 1
    await run(shop, month)
    answer = await shop.get("/api/v1/invoices/ACME-2026-00001/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    for words in ("Facture", "ACME-2026-00001", "Lycée", "4.000000001", "Arrondi", "4.00 EUR"):
        assert words in text


async def test_a_plan_opens_its_models_and_bounds_its_rate(shop, founded):
    """For every key of the customer, from the next snapshot on; not for the operator."""
    await shop.post("/api/v1/subscriptions/Lycée", json={"plan": "large"})
    callers = (await compile_snapshot(founded)).callers.values()
    (key,) = [one for one in callers if one.name == "default"]
    assert key.deployments == {"chat"}
    assert [gate.limits.rpm for gate in key.gates if gate.scope.startswith("customer:")] == [60]
    (operator,) = [one for one in callers if one.key_id == "operator"]
    assert operator.deployments is None


async def test_time_moves_subscriptions(shop, founded, clock):
    """A trial begins to be paid, an overdue invoice is noticed and paid, a cancelled one ends."""
    await shop.post("/api/v1/plans", json={"name": "tried", "fee": "9", "trial_days": 5})
    begun = (await shop.post("/api/v1/subscriptions/Lycée", json={"plan": "tried"})).json()
    assert begun["state"] == "trialing"
    month = month_of(clock.ms)

    async def state_at(ms):
        clock.ms = ms
        await move_due(founded, ms)
        return (await shop.get("/api/v1/subscriptions/Lycée")).json()["state"]

    assert await state_at(begun["trial_ends_ms"]) == "active"
    clock.ms = month.to_ms + 1
    await run(shop, month)
    assert await state_at(clock.ms + 31 * DAY_MS) == "past_due"
    await shop.post("/api/v1/invoices/ACME-2026-00001/paid")
    assert await state_at(clock.ms) == "active"
    ends = (await shop.patch("/api/v1/subscriptions/Lycée", json={"action": "cancel", "when": "period_end"})).json()
    assert ends["state"] == "cancelled"
    await move_due(founded, ends["ends_ms"])
    assert (await shop.get("/api/v1/subscriptions")).json()["data"] == []


async def test_another_organisation_is_a_customer_of_its_own(client):
    """Each is one once; a project and an organisation at once are refused."""
    assert (await client.post("/api/v1/organisations", json={"name": "globex"})).status_code == 201
    made = await client.post("/api/v1/customers", json={"name": "Globex SA", "organisation": "globex"})
    own = await client.post("/api/v1/customers", json={"name": "Ourselves"})
    assert (made.status_code, own.status_code) == (201, 201)
    assert made.json()["organisation_id"] != own.json()["organisation_id"]
    both = {"name": "x", "organisation": "globex", "project": "default"}
    for ask, status in (
        (both, 400),
        ({"name": "y", "organisation": "globex"}, 409),
        ({"name": "z", "organisation": "no"}, 404),
    ):
        assert (await client.post("/api/v1/customers", json=ask)).status_code == status
