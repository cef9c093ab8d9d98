"""A plan's seats are for so many people, its models and its rate class for what they ask."""

import pytest

from primeur.walks.compile_snapshot import compile_snapshot


@pytest.fixture
async def shop(client):
    """A customer whose plan has two seats, and the owner in one of them."""
    made = [
        await client.put("/api/v1/deployments/chat", json={"engine": "echo"}),
        await client.post(
            "/api/v1/plans",
            json={"name": "team", "fee": "10", "seats": 2, "seat_fee": "3", "deployments": ["chat"], "rpm": 7},
        ),
        await client.post("/api/v1/plans", json={"name": "solo", "fee": "5", "seats": 1}),
        await client.post("/api/v1/customers", json={"name": "Lycée"}),
        await client.post("/api/v1/subscriptions/Lycée", json={"plan": "team"}),
    ]
    assert [one.status_code for one in made] == [200, 201, 201, 201, 201], [one.text for one in made]
    return client


async def invite(client, name, kind="person"):
    return await client.post("/api/v1/members", json={"name": name, "kind": kind})


async def test_nobody_is_let_in_beyond_the_seats_and_more_can_be_booked(shop):
    """Service accounts need none; a refusal leaves nothing behind."""
    assert (await invite(shop, "Ada")).status_code == 201
    assert (await invite(shop, "robot", "service")).status_code == 201
    refused = await invite(shop, "Grace")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_seat")
    assert "Grace" not in {one["name"] for one in (await shop.get("/api/v1/members")).json()["data"]}
    assert (await shop.patch("/api/v1/subscriptions/Lycée", json={"seats": 3})).status_code == 200
    assert (await invite(shop, "Grace")).status_code == 201


async def test_a_seat_that_was_given_up_is_free_and_taken_again(shop):
    """Disabled people need none; there is none for them to come back to when it is taken."""
    await invite(shop, "Ada")
    assert (await shop.patch("/api/v1/members/Ada", json={"state": "disabled"})).status_code == 200
    assert (await invite(shop, "Grace")).status_code == 201
    back = await shop.patch("/api/v1/members/Ada", json={"state": "active"})
    assert (back.status_code, back.json()["error"]["code"]) == (409, "no_seat")


async def test_a_plan_with_fewer_seats_than_people_is_refused_and_changes_nothing(shop):
    """Also as a trial run, by the same code."""
    await invite(shop, "Ada")
    for dry_run in (True, False):
        refused = await shop.patch("/api/v1/subscriptions/Lycée", json={"plan": "solo", "dry_run": dry_run})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_seat")
    assert [one["plan"] for one in (await shop.get("/api/v1/subscriptions/Lycée")).json()["terms"]] == ["team"]
    removed = await shop.delete("/api/v1/plans/team")
    assert (removed.status_code, "1 subscribers" in removed.json()["error"]["message"]) == (409, True)


async def test_keys_have_the_plans_models_and_rate_class(shop, founded):
    """Whoever operates the house is bound by no plan."""
    made = await shop.post("/api/v1/keys", json={"name": "app"})
    assert made.status_code == 201
    bound = [one for one in (await compile_snapshot(founded)).callers.values() if one.key_id != "operator"]
    assert bound
    for caller in bound:
        assert caller.deployments == {"chat"}
        assert any(gate.scope.startswith("customer:") and gate.limits.rpm == 7 for gate in caller.gates)
