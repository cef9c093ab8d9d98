"""The management API over HTTP, in process."""

import hashlib

import httpx2
import msgspec
import pytest

from primeur.core.usage import Usage, UsageEvent
from primeur.gateway.asgi import Gateway
from primeur.gateway.openapi import describe, draw
from primeur.gateway.table import DOORS
from primeur.metering.rows import keep_usage


async def as_key(client, founded, **ask):
    """A client with a new key."""
    made = (await client.post("/api/v1/keys", json=ask)).json()
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(Gateway(founded)),
        base_url="http://primeur.test",
        headers={"api-key": made["key"]},
    )


async def test_a_key_goes_through_its_life(client):
    """Made, listed, changed, rotated, revoked; the text is in two answers and nowhere else."""
    made = await client.post("/api/v1/keys", json={"name": "app", "rpm": 3})
    assert made.status_code == 201
    assert made.json()["key"].startswith("pk_")
    listed = (await client.get("/api/v1/keys")).json()["data"]
    assert {one["name"]: one["limits"]["rpm"] for one in listed} == {"default": None, "app": 3}
    assert all("key" not in one for one in listed)
    changed = await client.patch("/api/v1/keys/app", json={"tpm": 9})
    assert changed.json()["limits"] == {"rpm": 3, "tpm": 9, "concurrency": None, "rpd": None, "tpd": None}
    rotated = await client.post("/api/v1/keys/app/rotate")
    assert rotated.json()["key"] != made.json()["key"]
    assert (await client.delete("/api/v1/keys/app")).json()["revoked_ms"] is not None
    assert (await client.delete("/api/v1/keys/app")).status_code == 409


async def test_a_revoked_key_is_refused_from_the_answer_on(client, founded):
    """In this process, without waiting for anything."""
    other = await as_key(client, founded, name="app")
    assert (await other.get("/api/v1/me")).json()["name"] == "app"
    await client.delete("/api/v1/keys/app")
    assert (await other.get("/api/v1/me")).status_code == 401


async def test_faults_are_named_with_their_path(client):
    """In bodies and in queries."""
    for answer, param in (
        (await client.post("/api/v1/keys", json={"name": "x", "rpn": 3}), "rpn"),
        (await client.post("/api/v1/keys", json={"name": "x", "rpm": "many"}), "rpm"),
        (await client.get("/api/v1/usage?by=moon"), "by"),
        (await client.get("/api/v1/requests?limt=3"), "limt"),
        (await client.get("/api/v1/requests?limit=x"), "limit"),
        (await client.post("/api/v1/apply", json={"document": {"keys": {"a": {"rpm": 0}}}}), "keys.a.rpm"),
    ):
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == param


async def test_a_model_is_sent_and_deployed(client, founded, write_gguf):
    """As a stream of bytes; the deployment says why it is not ready yet."""
    weights = write_gguf().read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    sent = await client.put(f"/api/v1/models/tiny/file?licence=MIT&sha256={digest}", content=weights)
    assert (sent.status_code, sent.json()["digest"]) == (201, f"sha256:{digest}")
    deployed = await client.put("/api/v1/deployments/chat", json={"model": "tiny"})
    assert (deployed.json()["state"], deployed.json()["pending"]) == ("pending", "waits for its turn")
    assert deployed.json()["revisions"][0]["phase"] == "waiting"
    assert (await client.get("/api/v1/models/tiny")).json()["versions"][0]["licence"] == "MIT"
    assert list((founded.place.data_dir / "store" / "partial").iterdir()) == []


async def test_bytes_that_are_no_model_leave_nothing_behind(client, founded):
    """One clear line, and the room is swept."""
    sent = await client.put("/api/v1/models/tiny/file", content=b"hello")
    assert sent.status_code == 400
    assert "not a usable GGUF file" in sent.json()["error"]["message"]
    assert (await client.get("/api/v1/models")).json()["data"] == []
    assert list((founded.place.data_dir / "store" / "partial").iterdir()) == []


async def test_names_with_slashes_can_be_reached(client):
    """Percent-encoded twice, because servers undo it once on their own."""
    await client.put("/api/v1/deployments/org%252Fchat", json={"engine": "echo"})
    assert (await client.get("/api/v1/deployments/org%252Fchat")).json()["name"] == "org/chat"


async def test_everything_that_is_declared_can_be_seen(client):
    """Providers, aliases, prices, projects, members, status."""
    document = {
        "projects": {"research": {}},
        "providers": {"cloud": {"kind": "paper", "settings": {"url": "https://api.example.org"}}},
        "deployments": {"gpt": {"provider": "cloud", "upstream_model": "gpt-4.1"}},
        "aliases": {"latest": "gpt"},
        "prices": {"gpt": {"currency": "EUR", "input": "2.50", "output": "10"}},
    }
    applied = (await client.post("/api/v1/apply", json={"document": document})).json()
    assert len(applied["changes"]) == 5
    status = (await client.get("/api/v1/status")).json()
    assert status["state"] == "ready"
    assert status["deployments"][0]["price"]["input"] == "2.5"
    assert (await client.get("/api/v1/deployments/latest")).json()["name"] == "gpt"
    for path in ("projects", "providers", "aliases", "prices", "members"):
        assert (await client.get(f"/api/v1/{path}")).json()["data"]


async def test_usage_and_the_log_are_shown(client, founded, clock):
    """Costs by currency, the key by its name, page by page."""
    (key,) = (await client.get("/api/v1/keys")).json()["data"]
    events = [
        UsageEvent(
            id=f"req_{number}", at_ms=clock.ms - number, route="chat", outcome="completed", status=200,
            project_id=key["project_id"], key_id=key["id"], deployment="chat", usage=Usage(3, 0, 4),
            cost_nanos=5, currency="EUR", prompt="hello",
        )
        for number in range(3)
    ]  # fmt: skip
    await founded.store.transact(lambda tx: keep_usage(tx, events))
    usage = (await client.get("/api/v1/usage?by=key")).json()
    assert usage["total"]["costs"] == {"EUR": 15}
    assert [(line["label"], line["requests"]) for line in usage["data"]] == [("default", 3)]
    first = (await client.get("/api/v1/requests?limit=2&key=default")).json()
    assert [one["id"] for one in first["data"]] == ["req_0", "req_1"]
    rest = (await client.get("/api/v1/requests", params={"limit": 2, "before": first["next"]})).json()
    assert ([one["id"] for one in rest["data"]], rest["next"]) == (["req_2"], None)
    assert first["data"][0]["prompt"] is None
    assert (await client.get("/api/v1/requests/req_0")).json()["prompt"] == "hello"


async def test_usage_over_time_has_a_value_for_each_step(client, founded, clock):
    """Steps without a request are zero; more steps than a plot can show are refused."""
    day_ms = 86_400_000
    events = [
        UsageEvent(
            id=f"req_{days}", at_ms=clock.ms - days * day_ms, route="chat", outcome="completed", status=200,
            deployment="chat", usage=Usage(3, 0, 4), cost_nanos=5, currency="EUR", duration_us=9,
        )
        for days in (0, 2)
    ]  # fmt: skip
    await founded.store.transact(lambda tx: keep_usage(tx, events))
    span = f"from_ms={clock.ms - 3 * day_ms}&to_ms={clock.ms + 1}"
    found = (await client.get(f"/api/v1/usage/series?{span}")).json()
    (group,) = found["data"]
    assert (group["requests"], group["tokens"], group["cost_nanos"]) == ([0, 1, 0, 1], [0, 7, 0, 7], [0, 5, 0, 5])
    assert found["waits"]["duration_us_p95"] == [None, 9, None, 9]
    assert (await client.get(f"/api/v1/usage/series?{span}&step_ms=60000")).status_code == 400


async def test_a_member_sees_its_own_project_only(client, founded):
    """Usage, log, projects and keys of others are not there."""
    await client.post("/api/v1/projects", json={"name": "research"})
    event = UsageEvent(id="req_1", at_ms=1, route="chat", outcome="completed", status=200, project_id="prj_other")
    await founded.store.transact(lambda tx: keep_usage(tx, [event]))
    member = await as_key(client, founded, name="app", project="research")
    assert [one["name"] for one in (await member.get("/api/v1/projects")).json()["data"]] == ["research"]
    assert [one["name"] for one in (await member.get("/api/v1/keys")).json()["data"]] == ["app"]
    assert (await member.get("/api/v1/requests")).json()["data"] == []
    assert (await member.get("/api/v1/requests/req_1")).status_code == 404
    assert (await member.get("/api/v1/usage?project=default")).status_code == 404
    assert (await member.get("/api/v1/usage?from_ms=0")).json()["total"]["requests"] == 0


@pytest.mark.parametrize("door", [door for door in DOORS if door.permission is not None])
async def test_no_door_opens_without_a_key(founded, door):
    """Each answers 401, whatever else is wrong."""
    path = "/".join("x" if part[:1] == "{" else part for part in door.path.split("/"))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(Gateway(founded)), base_url="http://primeur.test"
    ) as nobody:
        assert (await nobody.request(door.method, path)).status_code == 401
        wrong = await nobody.request(door.method, path, headers={"authorization": "Bearer pk_wrong"})
        assert wrong.status_code == 401


async def test_the_api_describes_itself(client):
    """Every door is in it, and what it refers to is there."""
    document = (await client.get("/api/openapi.json")).json()
    assert document["openapi"] == "3.1.1"
    assert document["paths"]["/api/v1/keys"]["post"]["x-primeur-event"] == "KeyCreated"
    text = msgspec.json.encode(document).decode()
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])
    limit = [one for one in document["paths"]["/api/v1/requests"]["get"]["parameters"] if one["name"] == "limit"]
    assert limit[0]["in"] == "query"


async def test_the_docs_page_needs_no_other_server(client):
    """No script, no address elsewhere."""
    page = await client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "https://" not in page.text
    assert "POST</b> <code>/api/v1/keys</code>" in page.text


def test_what_is_drawn_is_escaped():
    """A summary is words, not markup."""
    document = describe(DOORS[:1])
    (by_method,) = document["paths"].values()
    next(iter(by_method.values()))["summary"] = "<b>x"
    assert "<b>x" not in draw(document)
