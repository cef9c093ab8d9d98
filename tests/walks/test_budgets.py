"""Budgets and limits of scopes: set through the management doors, in force on the request path."""

import httpx2
import pytest

from primeur.core.caller import Limits
from primeur.gateway.asgi import Gateway
from primeur.governance.rules import digest_key
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.create_key import NewKey, create_key


async def gates_of(house, text):
    caller = (await compile_snapshot(house)).callers[digest_key(text, house.place.pepper)]
    return {gate.scope.partition(":")[0]: gate for gate in caller.gates}


async def test_a_budget_and_every_limit_become_gates(client, founded, owner):
    """Key, project and organisation, all at once."""
    made = await create_key(founded, owner, NewKey(name="app", rpm=3, rpd=30, tpd=1 << 40))
    put = await client.put("/api/v1/budgets/key/app/month", json={"limit": "10.00", "soft": "8"})
    assert put.json() | {"id": "", "scope_id": "", "from_ms": 0, "to_ms": 0, "created_ms": 0} == {
        "id": "", "scope": "key", "scope_id": "", "name": "app", "period": "month", "currency": "EUR", "limit": "10",
        "soft": "8", "spent": "0", "state": "within", "allows_unpriced": False, "from_ms": 0, "to_ms": 0,
        "created_ms": 0,
    }  # fmt: skip
    await client.put("/api/v1/budgets/organisation/default/total", json={"limit": "5", "currency": "USD"})
    answer = await client.patch("/api/v1/limits/organisation/default", json={"rpm": 9})
    assert answer.json()["limits"]["rpm"] == 9
    gates = await gates_of(founded, made.text)
    assert gates["key"].limits == Limits(3, rpd=30, tpd=1 << 40)
    assert [(one.limit_nanos, one.period) for one in gates["key"].budgets] == [(10**10, "month")]
    assert gates["organisation"].limits == Limits(9)
    assert gates["organisation"].budgets[0].currency == "USD"
    gone = await client.delete("/api/v1/budgets/key/app/month")
    assert gone.is_success
    assert (await gates_of(founded, made.text))["key"].budgets == ()


async def test_a_deployment_has_gates_of_its_own(client, founded):
    """Everybody's requests pass them."""
    await client.put("/api/v1/deployments/echo", json={"engine": "echo"})
    assert (await client.patch("/api/v1/limits/deployment/echo", json={"concurrency": 2})).is_success
    assert (await client.put("/api/v1/budgets/deployment/echo/day", json={"limit": "1"})).is_success
    gate = (await compile_snapshot(founded)).deployments["echo"].gate
    assert (gate.scope, gate.limits, gate.budgets[0].period) == ("deployment:echo", Limits(concurrency=2), "day")


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("PUT", "budgets/key/app/year", {"limit": "1"}, "choose one of day, month, total"),
        ("PUT", "budgets/team/app/day", {"limit": "1"}, "choose one of key, project, organisation, deployment"),
        ("PUT", "budgets/key/nobody/day", {"limit": "1"}, "no key 'nobody'"),
        ("PUT", "budgets/project/default/day", {"limit": "-1"}, "must be from 0"),
        ("PUT", "budgets/project/default/day", {"limit": "1e-10"}, "at most nine decimals"),
        ("PUT", "budgets/project/default/day", {"limit": "ten"}, "is not a number"),
        ("DELETE", "budgets/project/default/day", None, "has no budget for 'day'"),
        ("PATCH", "limits/key/app", {"rpm": 1}, "primeur keys change"),
        ("PATCH", "limits/team/app", {"rpm": 1}, "choose organisation or deployment"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(client, method, path, body, words):
    """Which thing, and what to do next."""
    answer = await client.request(method, f"/api/v1/{path}", json=body)
    assert answer.status_code in {400, 404}, answer.text
    assert words in answer.json()["error"]["message"]


async def test_a_member_sees_the_budgets_of_their_project_only(client, founded, owner):
    """And sets none."""
    made = await create_key(founded, owner, NewKey(name="member", role="member"))
    await client.post("/api/v1/projects", json={"name": "other"})
    for scope in ("key/member", "project/default", "project/other", "organisation/default"):
        assert (await client.put(f"/api/v1/budgets/{scope}/day", json={"limit": "1"})).is_success
    headers = {"authorization": f"Bearer {made.text}"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(Gateway(founded)), base_url="http://house", headers=headers
    ) as mine:
        seen = (await mine.get("/api/v1/budgets")).json()["data"]
        assert [(one["scope"], one["name"]) for one in seen] == [("key", "member"), ("project", "default")]
        assert (await mine.put("/api/v1/budgets/key/member/day", json={"limit": "9"})).status_code == 403
        assert (await mine.get("/api/v1/budgets/project/other/day")).status_code == 404
