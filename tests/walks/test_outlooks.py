"""Forecasts and suppositions over the management API."""

import pytest

from primeur.billing.rules.periods import DAY_MS, day_of, month_of, name_of
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.rows import find_project
from primeur.metering.rows import keep_usage

EUR = 1_000_000_000


@pytest.fixture
async def used(client, founded, clock):
    """Twenty days of one euro a day for a million tokens in and none out, and a customer."""

    def work(tx):
        project = find_project(tx, "default").id
        events = [
            UsageEvent(
                id=f"req_{days}", at_ms=day_of(clock.ms) - days * DAY_MS, route="chat", outcome="completed", status=200,
                project_id=project, deployment="chat", usage=Usage(1_000_000), cost_nanos=EUR, currency="EUR",
            )
            for days in range(1, 21)
        ]  # fmt: skip
        keep_usage(tx, events)

    await founded.store.transact(work)
    assert (await client.post("/api/v1/customers", json={"name": "Acme"})).status_code == 201
    return client


async def test_the_month_and_the_year_are_forecast(used, clock):
    """A euro a day, without any doubt, since every day was alike."""
    (found,) = (await used.get("/api/v1/usage/forecast")).json()["data"]
    month = month_of(clock.ms)
    assert found["month"]["expected"] == str(month.length_ms // DAY_MS)
    assert found["month"]["low"] == found["month"]["high"] == found["month"]["expected"]
    assert found["year"]["learned_from"] == 20
    assert (await used.get("/api/v1/usage/forecast?projekt=x")).status_code == 400


async def test_a_month_is_supposed_at_another_price_plan_and_share(used, clock):
    """By the code that charges real months; nothing is written."""
    await used.post("/api/v1/plans", json={"name": "flat", "fee": "50", "overage": "0"})
    month = month_of(clock.ms)
    days = (day_of(clock.ms) - month.from_ms) // DAY_MS

    async def suppose(**ask):
        answer = await used.get("/api/v1/ledger/what-if", params={"period": name_of(month), **ask})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"][0]

    assert (await suppose())["difference"] == "0"
    dearer = await suppose(prices="chat=2.50/10", share="20")
    assert (dearer["was"], dearer["would_be"]) == (str(days), f"{days * 2.5:g}")
    assert float(dearer["share"]) == days * 0.5
    assert (await suppose(plans="Acme=flat"))["would_be"] == "50"
    same = await suppose(prices="chat=1/1")
    assert same["difference"] == "0"
    assert (await used.get("/api/v1/subscriptions")).json()["data"] == []
    for wrong in ({"prices": "chat"}, {"prices": "chat=1"}, {"share": "101"}, {"plans": "Nobody=flat"}):
        answer = await used.get("/api/v1/ledger/what-if", params={"period": name_of(month), **wrong})
        assert answer.status_code in {400, 404}
