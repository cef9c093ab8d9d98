"""What requests earn, cost and leave, by each thing that people ask for."""

import pytest

from primeur.billing.rules.periods import day_of
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.rows import find_project
from primeur.ledger import rows as ledger
from primeur.walks.book_usage import book_usage, read_terms

EUR = 1_000_000_000


@pytest.fixture
async def shop(client, founded, clock):
    """Two answers of a priced deployment, one of a deployment nobody has a price for."""
    made = [
        await client.put("/api/v1/deployments/chat", json={"engine": "echo"}),
        await client.put("/api/v1/deployments/other", json={"engine": "llamacpp", "settings": {}}),
        await client.post("/api/v1/customers", json={"name": "Lycée"}),
        await client.post("/api/v1/rates", json={"provider": "echo", "request": "1"}),
        await client.post("/api/v1/shares", json={"partner": "star", "part": "10%"}),
    ]
    assert made[0].status_code == 200

    def work(tx):
        project = find_project(tx, "default").id
        events = [
            UsageEvent(
                id=f"req_{number:026d}", at_ms=clock.ms, route="chat", outcome="completed", status=200,
                project_id=project, deployment=name, provider=provider, usage=Usage(10, 0, 5), cost_nanos=cost,
                currency=None if cost is None else "EUR",
            )
            for number, (name, provider, cost) in enumerate(
                [("chat", "echo", 5 * EUR), ("chat", "echo", 3 * EUR), ("other", "llamacpp", None)]
            )
        ]  # fmt: skip
        book_usage(tx, events, read_terms(tx))

    await founded.store.transact(work)
    return client


async def test_margins_are_what_the_ledger_says_and_unknown_where_it_cannot(shop, founded):
    """By model; what has no price makes the whole unknown and is never zero."""
    found = (await shop.get("/api/v1/margins", params={"by": "model"})).json()
    lines = {one["name"]: one for one in found["data"]}
    assert lines["chat"]["money"]["EUR"] == {
        "revenue_nanos": 8 * EUR, "cost_nanos": 2 * EUR, "share_nanos": 8 * EUR // 10,
        "margin_nanos": 6 * EUR - 8 * EUR // 10, "known_margin_nanos": 6 * EUR - 8 * EUR // 10,
        "cost_per_chat_nanos": EUR,
    }  # fmt: skip
    assert (lines["other"]["money"], lines["other"]["unsold"], lines["other"]["unbought"]) == ({}, 1, 1)
    assert found["total"]["money"]["EUR"]["margin_nanos"] is None
    booked = {one.name.partition(":")[0]: 0 for one, _ in await founded.store.read(ledger.list_balances)}
    for one, amount in await founded.store.read(ledger.list_balances):
        booked[one.name.partition(":")[0]] += amount
    assert found["total"]["money"]["EUR"]["known_margin_nanos"] == -booked["Income"] - booked["Expenses"]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("customer", {"Lycée"}),
        ("provider", {"echo", "llamacpp"}),
        ("project", {"default"}),
        ("deployment", {"chat", "other"}),
    ],
)
async def test_margins_are_asked_for_by_each_thing(shop, by, names):
    """The groups add up to the whole."""
    found = (await shop.get("/api/v1/margins", params={"by": by})).json()
    assert {one["label"] for one in found["data"]} == names
    assert sum(one["requests"] for one in found["data"]) == found["total"]["requests"] == 3


async def test_days_come_in_their_order_and_a_price_of_zero_is_known(shop, clock):
    """Zero that somebody said is no unknown."""
    await shop.post("/api/v1/rates", json={"provider": "llamacpp", "gpu_hour": "0", "from_ms": day_of(clock.ms)})
    found = (await shop.get("/api/v1/margins", params={"by": "day"})).json()
    assert [(one["name"], one["unbought"], one["unsold"]) for one in found["data"]] == [(str(day_of(clock.ms)), 0, 1)]
    assert (await shop.get("/api/v1/margins", params={"by": "moon"})).status_code == 400
