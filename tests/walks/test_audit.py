"""The event log through the gateway: where things came from, who was refused, and what a checkpoint shows."""

import asyncio
import sqlite3
from dataclasses import replace
from ipaddress import ip_network

import httpx2
import msgspec
import pytest

from primeur.core.egress import read_egress
from primeur.core.errors import BadRequest, SetupError
from primeur.gateway.asgi import Gateway
from primeur.governance.audit_rows import AuditSearch, search_events
from primeur.governance.webhook_rows import list_deliveries
from primeur.walks.checkpoint_audit import audit_key, checkpoint_audit, checkpoint_file, checkpoint_when_new
from primeur.walks.keep_audit import keep_audit
from primeur.walks.note_refusal import tell_refusals
from primeur.walks.verify_audit import verify_audit


async def events(house, kind=None):
    return await house.store.read(lambda tx: search_events(tx, AuditSearch(kind=kind), None, 100))


async def settled(house, kind, count):
    """Events of a kind, once there are so many of them: they are told without making anybody wait."""
    for _ in range(500):
        found = await events(house, kind)
        if len(found) >= count:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(found)} of {count} {kind}")


async def test_a_change_says_who_and_from_where(client, founded):
    """The request's id is the one that its caller was given."""
    answer = await client.post("/api/v1/projects", json={"name": "lab"})
    [made] = await events(founded, "ProjectCreated")
    assert (made.actor, made.address, made.request_id) == ("operator", "127.0.0.1", answer.headers["x-request-id"])
    assert made.organisation_id.startswith("org_")


async def test_refusals_are_told_once_and_then_counted(client, founded, clock):
    """An unknown key, tried five times, is two entries."""
    for _ in range(5):
        await client.get("/api/v1/keys", headers={"authorization": "Bearer pk_wrong"})
    [first] = await settled(founded, "AccessRefused", 1)
    assert (first.actor, msgspec.json.decode(first.data)["times"]) == ("unknown", 1)
    assert await tell_refusals(founded) == 0
    clock.ms += 60_001
    assert await tell_refusals(founded) == 1
    again, _ = await events(founded, "AccessRefused")
    assert (msgspec.json.decode(again.data)["times"], again.address) == (4, "127.0.0.1")


async def test_what_a_key_may_not_do_is_told(client, founded):
    """With the door, in the name of the key."""
    made = (await client.post("/api/v1/keys", json={"name": "small", "role": "member"})).json()
    refused = await client.post(
        "/api/v1/projects", json={"name": "x"}, headers={"authorization": f"Bearer {made['key']}"}
    )
    assert refused.status_code == 403
    [told] = await settled(founded, "AccessRefused", 1)
    assert (told.actor, msgspec.json.decode(told.data)["door"]) == (made["id"], "POST /api/v1/projects")


async def test_a_checkpoint_shows_that_the_end_was_cut_off(founded, tmp_path):
    """Although what is left verifies by itself."""
    made = await checkpoint_audit(founded)
    assert await checkpoint_when_new(founded) is None
    assert (await verify_audit(founded)).intact
    with sqlite3.connect(tmp_path / "primeur.db") as raw:
        raw.execute("drop trigger events_no_delete")
        raw.execute("delete from events where sequence >= ?", (made.sequence,))
    raw.close()
    report = await verify_audit(founded)
    assert (report.intact, [fault.sequence for fault in report.faults]) == (False, [made.sequence])


async def test_a_checkpoint_that_was_changed_or_a_key_that_is_gone_is_said(founded):
    """Nobody verifies against what they were handed by a stranger."""
    await checkpoint_audit(founded)
    path = checkpoint_file(founded)
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"sequence":', b'"sequence":1'))
    with pytest.raises(BadRequest, match="signature"):
        await verify_audit(founded)
    path.write_bytes(text + b"nonsense\n")
    with pytest.raises(BadRequest, match="line 2"):
        await verify_audit(founded)
    missing = replace(founded, place=replace(founded.place, audit_key_path=path.with_name("none")))
    with pytest.raises(SetupError, match="PRIMEUR_AUDIT_KEY"):
        audit_key(missing)


async def test_a_checkpoint_goes_where_the_setting_says(founded):
    """A URL gets it as a webhook, which nothing can lose."""
    url = "https://witness.example/checkpoints"
    place = replace(founded.place, checkpoints_to=url, egress=read_egress((), own_machine=False))
    made = await checkpoint_audit(replace(founded, place=place))
    [delivery] = await founded.store.read(lambda tx: list_deliveries(tx, None, None, 10))
    assert (delivery.url, msgspec.json.decode(delivery.body)["data"]["hash"]) == (url, made.hash)


async def test_the_worker_signs_the_end_when_it_stops(founded):
    """What happened until then is covered."""
    stop = asyncio.Event()
    stop.set()
    await keep_audit(founded, stop)
    report = await verify_audit(founded)
    assert (report.intact, report.checkpoints) == (True, 1)


async def test_the_doors_search_export_and_verify(client):
    """Pages lead on, and an export has every entry in order."""
    for name in ("a", "b", "c"):
        await client.post("/api/v1/projects", json={"name": name})
    page = (await client.get("/api/v1/audit/events?kind=ProjectCreated&limit=2")).json()
    rest = (await client.get(f"/api/v1/audit/events?kind=ProjectCreated&limit=2&before={page['next']}")).json()
    assert [one["data"]["name"] for one in page["data"] + rest["data"]] == ["c", "b", "a"]
    assert rest["next"] is None
    lines = (await client.get("/api/v1/audit/export")).text.splitlines()
    assert [msgspec.json.decode(line)["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    cef = (await client.get("/api/v1/audit/export?form=cef&kind=ProjectCreated")).text
    assert cef.count("CEF:0|Primeur|") == 3
    assert (await client.post("/api/v1/audit/checkpoints")).status_code == 201
    found = (await client.get("/api/v1/audit/verification")).json()
    assert (found["intact"], found["checkpoints"]) == (True, 1)
    assert len((await client.get("/api/v1/audit/checkpoints")).json()["data"]) == 1


async def test_behind_a_trusted_proxy_the_caller_is_who_it_says(founded, client):
    """And the log has that address."""
    place = replace(founded.place, trusted_proxies=(ip_network("127.0.0.0/8"),))
    transport = httpx2.ASGITransport(Gateway(replace(founded, place=place)))
    headers = {"authorization": client.headers["authorization"], "x-forwarded-for": "6.6.6.6, 203.0.113.9"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://p", headers=headers) as proxied:
        await proxied.post("/api/v1/projects", json={"name": "far"})
    [made] = await events(founded, "ProjectCreated")
    assert made.address == "203.0.113.9"


async def test_what_was_before_and_after_is_said_and_digests_are_not(client, founded):
    """Of keys, projects, aliases and prices."""
    made = (await client.post("/api/v1/keys", json={"name": "k", "rpm": 5})).json()
    await client.patch("/api/v1/keys/k", json={"rpm": 7})
    [changed] = await events(founded, "KeyChanged")
    before, after = msgspec.json.decode(changed.before), msgspec.json.decode(changed.after)
    assert (before["limits"]["rpm"], after["limits"]["rpm"]) == (5, 7)
    assert "digest" not in before
    everything = "".join(str(entry) for entry in await events(founded))
    assert made["key"] not in everything
