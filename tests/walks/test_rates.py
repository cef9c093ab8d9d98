"""Prices of buying, negotiated prices, shares, and what has no price, over the management API."""

import pytest

from primeur.billing.rules.periods import month_of, name_of
from primeur.core.caller import Caller
from primeur.core.chat import price_of
from primeur.core.errors import BadRequest
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.rows import find_project
from primeur.ledger import rows as ledger
from primeur.metering.rules import charge
from primeur.walks.apply import apply
from primeur.walks.book_usage import book_usage, read_terms
from primeur.walks.compile_snapshot import compile_snapshot

RATE = {"provider": "echo", "deployment": "chat", "currency": "EUR"}


@pytest.fixture
async def shop(client):
    """A house with a deployment on the engine echo and a customer."""
    made = [
        await client.put("/api/v1/issuers/ACME", json={"name": "Acme SA"}),
        await client.put("/api/v1/deployments/chat", json={"engine": "echo"}),
        await client.post("/api/v1/customers", json={"name": "Lycée"}),
    ]
    assert [one.status_code for one in made] == [200, 200, 201], [one.text for one in made]
    return client


@pytest.fixture
def answer(founded, clock):
    """Books a request of the default project as the batch writer does; gives its rows of the ledger."""

    async def book(number, at_ms=None, **changes):
        def work(tx):
            event = UsageEvent(
                **{
                    "id": f"req_{number:026d}", "at_ms": clock.ms if at_ms is None else at_ms, "route": "chat",
                    "outcome": "completed", "status": 200, "project_id": find_project(tx, "default").id,
                    "deployment": "chat", "provider": "echo", "usage": Usage(1000, 400, 500, 100), "images": 2,
                    "duration_us": 1_800_000, "cost_nanos": 7, "currency": "EUR",
                } | changes
            )  # fmt: skip
            book_usage(tx, [event], read_terms(tx))
            return {one.name.partition(":prj")[0]: amount for one, amount in ledger.list_balances(tx)}

        return await founded.store.transact(work)

    return book


async def test_every_unit_is_bought_at_its_own_price_with_tiers(shop, answer):
    """In integers of nanos: tokens, pictures, the request, and the time it took."""
    ask = RATE | {
        "input": [{"above": 0, "price": "2"}, {"above": 500, "price": "1"}], "cached": "0.5", "output": "8",
        "reasoning": "4", "image": "0.001", "request": "0.0001", "gpu_hour": "3.60",
    }  # fmt: skip
    made = await shop.post("/api/v1/rates", json=ask)
    assert made.status_code == 201, made.text
    assert made.json()["units"]["input"] == [
        {"above": 0, "price": "2", "nanos": 2000}, {"above": 500, "price": "1", "nanos": 1000},
    ]  # fmt: skip
    found = await answer(1)
    cost = 500 * 2000 + 100 * 1000 + 400 * 500 + 400 * 8000 + 100 * 4000 + 2 * 1_000_000 + 100_000 + 1_800_000
    assert found["Expenses:Capacity:Echo"] == -found["Liabilities:Payable:Echo"] == cost


async def test_a_negotiated_price_is_for_its_customer_and_from_its_day(shop, answer, clock):
    """What was before keeps its own."""
    await shop.post("/api/v1/rates", json={"customer": "Lycée", "input": "1", "output": "0", "from_ms": clock.ms + 5})
    before = await answer(1)
    after = await answer(2, at_ms=clock.ms + 5)
    assert (before["Income:Inference:Chat"], after["Income:Inference:Chat"]) == (-7, -7 - 1000 * 1000)
    listed = (await shop.get("/api/v1/rates?side=sell")).json()["data"]
    assert [(one["customer"], one["provider"], one["from_ms"]) for one in listed] == [("Lycée", None, clock.ms + 5)]


async def test_a_share_goes_to_the_partner(shop, answer):
    """Rounded down to the nano."""
    made = await shop.post("/api/v1/shares", json={"partner": "Northern Star", "part": "20%", "provider": "echo"})
    assert (made.status_code, made.json()["part"]) == (201, "1/5")
    found = await answer(1, cost_nanos=99)
    assert sum(amount for name, amount in found.items() if name.startswith("Expenses:Revenue-share:Northern")) == 19


async def test_what_is_unpriced_is_listed_as_unknown(shop, answer):
    """Selling and buying; a price takes it off the list but for what was used before."""
    await answer(1, cost_nanos=None, currency=None)
    first = (await shop.get("/api/v1/prices/unpriced")).json()["data"]
    assert [(one["side"], one["deployment"], one["provider"], one["now"], one["requests"]) for one in first] == [
        ("sell", "chat", "", True, 1), ("buy", "chat", "echo", True, 1),
    ]  # fmt: skip
    assert {one["cost"] for one in first} == {"unknown"}
    await shop.put("/api/v1/prices/chat", json={"currency": "EUR", "input": "1", "output": "2"})
    await shop.post("/api/v1/rates", json=RATE | {"gpu_second": "0.0005"})
    (left,) = (await shop.get("/api/v1/prices/unpriced")).json()["data"]
    assert (left["side"], left["now"], left["tokens"]) == ("sell", False, 1500)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"provider": "echo", "customer": "Lycée", "request": "1"}, "not both"),
        ({"provider": "nobody", "request": "1"}, "nothing is bought of 'nobody'"),
        ({"customer": "nobody", "request": "1"}, "there is no customer"),
        ({"provider": "echo"}, "needs one unit"),
        ({"provider": "echo", "input": "1"}, "leaves output tokens out"),
        ({"provider": "echo", "request": [{"above": 5, "price": "1"}]}, "must rise from 0"),
        ({"provider": "echo", "request": "-1"}, "from 0 to"),
        ({"provider": "echo", "request": "1", "from_day": "tomorrow"}, "not a day"),
        ({"customer": "Lycée", "request": "1", "currency": "USD"}, "currencies are never mixed"),
        ({"customer": "Lycée", "request": "1", "prepaid": True}, "prepaid"),
        ({"provider": "echo", "second": "1"}, "unknown"),
    ],
)
async def test_a_price_that_cannot_be_is_refused_and_changes_nothing(shop, ask, words):
    """One clear error."""
    refused = await shop.post("/api/v1/rates", json=ask)
    assert 400 <= refused.status_code < 410
    assert words in refused.json()["error"]["message"]
    assert (await shop.get("/api/v1/rates")).json()["data"] == []


async def test_a_price_that_starts_before_a_final_invoice_is_refused(shop, answer, clock):
    """The list price, the negotiated one and their versions before; the first open day is named."""
    month = month_of(clock.ms)
    await shop.put("/api/v1/prices/chat", json={"currency": "EUR", "input": "1", "output": "2"})
    await answer(1)
    clock.ms = month.to_ms + 1
    made = await shop.post("/api/v1/invoices", json={"period": name_of(month)})
    assert made.json()["data"][0]["invoice"]["number"]
    before = {"currency": "EUR", "input": "3", "output": "4", "from_ms": month.to_ms - 1}
    for refused in (
        await shop.put("/api/v1/prices/chat", json=before),
        await shop.post("/api/v1/rates", json=before | {"customer": "Lycée"}),
    ):
        assert refused.status_code == 409
        assert f"for {name_of(month)} is final" in refused.json()["error"]["message"]
    assert len((await shop.get("/api/v1/prices")).json()["data"]) == 1
    assert (await shop.put("/api/v1/prices/chat", json=before | {"from_ms": month.to_ms})).status_code == 200


async def test_prices_are_declared_in_the_document(founded, owner):
    """A second time there is nothing to do; a declared day is a version of its own."""
    document = {
        "deployments": {"chat": {"engine": "echo"}},
        "prices": {"chat": {"currency": "EUR", "input": "1", "output": "2"}},
        "rates": {
            "own": {"provider": "echo", "gpu_hour": "2.40"},
            "deal": {"customer": "default", "deployment": "chat", "from_day": "2027-01-01",
                     "input": [{"above": 0, "price": "1.0"}, {"above": 1000, "price": "0.5"}], "output": "2"},
        },
        "shares": {"star": {"partner": "star", "part": "1/5"}},
    }  # fmt: skip
    first = await apply(founded, owner, document, dry_run=False)
    assert [one.noun for one in first.changes] == ["deployments", "prices", "rates", "rates", "shares"]
    assert (await apply(founded, owner, document, dry_run=False)).changes == []
    document["rates"]["own"]["gpu_hour"] = "2.50"
    (changed,) = (await apply(founded, owner, document, dry_run=False)).changes
    assert (changed.name, changed.verb) == ("own", "change")
    with pytest.raises(BadRequest, match=r"rates\.own\.gpu_year"):
        await apply(founded, owner, {"rates": {"own": {"provider": "echo", "gpu_year": "1"}}}, dry_run=False)


async def test_answers_and_budgets_know_the_negotiated_price(shop, founded, clock):
    """From the snapshot on; whoever else calls pays the list price, and so does its customer before its day."""
    await shop.put("/api/v1/prices/chat", json={"currency": "EUR", "input": "5", "output": "5"})
    sell = {"customer": "Lycée", "deployment": "chat", "input": "1", "output": "2"}
    await shop.post("/api/v1/rates", json=sell | {"from_ms": clock.ms + 10})
    await shop.post("/api/v1/keys", json={"name": "app"})

    async def told():
        snapshot = await compile_snapshot(founded)
        deployment = snapshot.deployments["chat"]
        stranger = Caller("key_x", "prj_x", "org_x", "x", frozenset())
        found = {price_of(one, deployment).input_nanos for one in snapshot.callers.values()}
        return found, price_of(stranger, deployment).input_nanos

    assert await told() == ({5000}, 5000)
    clock.ms += 10
    assert await told() == ({1000}, 5000)


async def test_a_list_price_for_all_is_told_and_a_deployments_own_comes_before_it(shop, founded, answer):
    """Answers are told what the books say."""
    await shop.post("/api/v1/rates", json={"input": "1", "output": "2", "request": "0.5"})
    (caller,) = [one for one in (await compile_snapshot(founded)).callers.values() if one.name == "default"]
    assert caller.prices["chat"].most(1000, 10, 0) == 1000 * 1000 + 10 * 2000 + 500_000_000
    before = await answer(1)
    assert before["Income:Inference:Chat"] == -(1000 * 1000 + 500 * 2000 + 500_000_000)
    await shop.put("/api/v1/prices/chat", json={"currency": "EUR", "input": "3", "output": "0"})
    after = await answer(2)
    assert after["Income:Inference:Chat"] - before["Income:Inference:Chat"] == -3000 * 1000


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ({"request": "0.5"}, 500_000_000),
        ({"image": "0.1"}, 200_000_000),
        (
            {"input": [{"above": 0, "price": "1"}, {"above": 600, "price": "4"}], "output": "2"},
            600_000 + 1_600_000 + 1_000_000,
        ),
        ({"input": "1", "output": "2", "reasoning": "7"}, 1_000_000 + 800_000 + 700_000),
    ],
)
async def test_what_an_answer_is_told_is_what_is_booked(shop, founded, answer, units, told):
    """Whatever the units and tiers; budgets hold no less before and count as much after."""
    await shop.post("/api/v1/rates", json=units)
    (caller,) = [one for one in (await compile_snapshot(founded)).callers.values() if one.name == "default"]
    price = caller.prices["chat"]
    assert charge(Usage(1000, 400, 500, 100), price, 2) == told <= price.most(1000, 500, 2)
    assert (await answer(1))["Income:Inference:Chat"] == -told
    assert charge(Usage(), price, 2) == 0


async def test_time_on_a_gpu_is_not_told_before_it_has_passed(shop, founded):
    """It would be told as nothing."""
    await shop.post("/api/v1/rates", json={"gpu_hour": "1"})
    assert not any(one.prices for one in (await compile_snapshot(founded)).callers.values())


async def test_a_list_price_for_all_leaves_a_deployments_own_that_was_there(shop, answer):
    """Whichever of the two was set first."""
    await shop.put("/api/v1/prices/chat", json={"currency": "EUR", "input": "3", "output": "0"})
    for _ in range(2):
        await shop.post("/api/v1/rates", json={"input": "1", "output": "2"})
    assert (await answer(1))["Income:Inference:Chat"] == -3000 * 1000


async def test_terms_that_are_kept_are_read_again_after_any_change_of_them(shop, founded):
    """The batch writer keeps them from batch to batch, and looks at the newest event only."""

    async def read(known=None):
        return await founded.store.transact(lambda tx: read_terms(tx, known))

    terms = await read()
    assert await read(terms) is terms
    for path, ask in (
        ("rates", RATE | {"request": "1"}),
        ("shares", {"partner": "lab", "deployment": "chat", "part": "1/5"}),
        ("projects", {"name": "other"}),
    ):
        made = await shop.post(f"/api/v1/{path}", json=ask)
        assert made.status_code == 201, made.text
        later = await read(terms)
        assert later is not terms
        assert await read(later) is later
        terms = later
    assert (len(terms.rates), [one.partner for one in terms.shares], len(terms.organisations)) == (1, ["lab"], 2)
    await shop.put("/api/v1/deployments/far", json={"engine": "echo"})
    assert await read(terms) is terms
