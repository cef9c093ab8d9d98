"""Members, service accounts, sessions with limits, and scopes of keys."""

import httpx2
import pytest

from primeur.gateway.asgi import Gateway
from primeur.governance import member_rows, rules
from primeur.governance.rows import list_keys
from primeur.store.origin import NOWHERE, ORIGIN
from primeur.walks.note_use import write_use

CONSOLE = {"x-primeur-console": "1", "origin": "http://primeur.test"}


def browser(founded, cookie="", **more):
    transport = httpx2.ASGITransport(Gateway(founded), **more)
    headers = {**CONSOLE, "cookie": f"primeur_session={cookie}"}
    return httpx2.AsyncClient(transport=transport, base_url="http://primeur.test", headers=headers)


async def session_of(founded, path):
    from primeur.walks.follow_changes import recompile  # noqa: PLC0415
    from primeur.walks.sign_in import Visitor, sign_in  # noqa: PLC0415

    opened = await sign_in(founded, path.rpartition("/")[2], Visitor("192.0.2.7", "Firefox"))
    await recompile(founded)
    return opened.text


async def test_a_member_is_invited_signs_in_and_is_disabled(founded, client):
    """Disabling ends the session at once; enabling does not bring it back."""
    made = (await client.post("/api/v1/members", json={"name": "Ada", "role": "auditor"})).json()
    assert (made["state"], made["kind"]) == ("invited", "person")
    async with browser(founded, await session_of(founded, made["path"])) as ada:
        assert (await ada.get("/api/v1/me")).json()["name"] == "Ada"
        assert (await client.get("/api/v1/members/Ada")).json()["state"] == "active"
        await client.patch("/api/v1/members/Ada", json={"state": "disabled"})
        assert (await ada.get("/api/v1/me")).status_code == 401
        await client.patch("/api/v1/members/Ada", json={"state": "active"})
        assert (await ada.get("/api/v1/me")).status_code == 401
    assert (await client.post("/api/v1/sign-in-links", json={"member": "Ada"})).status_code == 201


async def test_a_key_ends_with_its_service_account(founded, client):
    """It works while the account is there."""
    await client.post("/api/v1/members", json={"name": "robot", "kind": "service"})
    key = (await client.post("/api/v1/keys", json={"name": "k", "member": "robot"})).json()["key"]
    async with browser(founded) as robot:
        headers = {"authorization": f"Bearer {key}"}
        assert (await robot.get("/api/v1/me", headers=headers)).status_code == 200
        assert (await client.delete("/api/v1/members/robot")).json()["state"] == "removed"
        assert (await robot.get("/api/v1/me", headers=headers)).status_code == 401
    assert (await client.post("/api/v1/sign-in-links", json={"member": "robot"})).status_code == 404


async def test_the_last_owner_stays(client):
    """Neither disabled, nor removed, nor made something less."""
    for change in ({"state": "disabled"}, {"role": "member"}):
        assert (await client.patch("/api/v1/members/owner", json=change)).status_code == 409
    assert (await client.delete("/api/v1/members/owner")).status_code == 409


async def test_a_member_of_two_projects_is_something_else_in_each(founded, client):
    """The session goes on in the other one, with the role that holds there."""
    await client.post("/api/v1/projects", json={"name": "research"})
    made = (await client.post("/api/v1/members", json={"name": "Ada", "project": "default"})).json()
    async with browser(founded, await session_of(founded, made["path"])) as ada:
        assert (await ada.post("/api/v1/me/project", json={"project": "research"})).status_code == 404
        await client.put("/api/v1/members/Ada/projects/research", json={"role": "auditor"})
        research = [one for one in (await ada.get("/api/v1/me")).json()["projects"] if one["name"] == "research"]
        moved = await ada.post("/api/v1/me/project", json={"project": research[0]["id"]})
        assert moved.status_code == 200
        me = (await ada.get("/api/v1/me")).json()
        assert (me["project"]["name"], "audit:read" in me["permissions"]) == ("research", True)
        await client.delete("/api/v1/members/Ada/projects/research")
        assert (await ada.get("/api/v1/me")).status_code == 401


async def test_a_session_ends_by_rest_and_by_age(founded, client, clock):
    """Used, it outlives the idle limit; nothing outlives the absolute one."""
    await client.put("/api/v1/sign-in", json={"idle_minutes": 10, "most_minutes": 30})
    link = (await client.post("/api/v1/sign-in-links", json={})).json()["path"]
    async with browser(founded, await session_of(founded, link)) as owner:
        for _ in range(2):
            clock.ms += 9 * 60_000
            assert (await owner.get("/api/v1/me")).status_code == 200
        await write_use(founded)
        clock.ms += 10 * 60_000
        assert (await owner.get("/api/v1/me")).status_code == 401
    link = (await client.post("/api/v1/sign-in-links", json={})).json()["path"]
    async with browser(founded, await session_of(founded, link)) as owner:
        for _ in range(3):
            clock.ms += 9 * 60_000
            assert (await owner.get("/api/v1/me")).status_code == 200
        clock.ms += 3 * 60_000
        assert (await owner.get("/api/v1/me")).status_code == 401


async def test_sessions_are_seen_and_ended(founded, client):
    """One's own by oneself, others' by whoever may."""
    made = (await client.post("/api/v1/members", json={"name": "Ada"})).json()
    async with browser(founded, await session_of(founded, made["path"])) as ada:
        (own,) = (await ada.get("/api/v1/sessions")).json()["data"]
        assert (own["mine"], own["address"], own["agent"]) == (True, "192.0.2.7", "Firefox")
        assert (await ada.get("/api/v1/sessions?member=all")).status_code == 403
        (seen,) = (await client.get("/api/v1/sessions?member=all")).json()["data"]
        assert (await client.delete(f"/api/v1/sessions/{seen['id']}")).status_code == 200
        assert (await ada.get("/api/v1/me")).status_code == 401


async def test_a_rotated_key_holds_on_for_a_while(founded, client, clock):
    """Both texts work until the time is over, then only the new one."""
    old = (await client.post("/api/v1/keys", json={"name": "k"})).json()["key"]
    new = (await client.post("/api/v1/keys/k/rotate", json={"overlap_s": 60})).json()["key"]
    async with browser(founded) as caller:
        for after_ms, text, status in ((0, old, 200), (0, new, 200), (60_000, old, 401), (0, new, 200)):
            clock.ms += after_ms
            answer = await caller.get("/api/v1/me", headers={"authorization": f"Bearer {text}"})
            assert answer.status_code == status


@pytest.mark.parametrize(
    ("bounds", "address", "status"),
    [
        ({"routes": ["chat"]}, "192.0.2.7", 403),
        ({"routes": ["manage"]}, "192.0.2.7", 200),
        ({"networks": ["192.0.2.0/24"]}, "192.0.2.7", 200),
        ({"networks": ["192.0.2.0/24"]}, "::ffff:192.0.2.7", 200),
        ({"networks": ["192.0.2.0/24"]}, "198.51.100.1", 403),
        ({"networks": ["192.0.2.0/24"]}, "", 403),
        ({"networks": []}, "192.0.2.7", 403),
    ],
)
async def test_a_key_is_bounded_to_routes_and_networks(founded, client, bounds, address, status):
    """And the refusal names the key."""
    key = (await client.post("/api/v1/keys", json={"name": "bounded", **bounds})).json()["key"]
    ORIGIN.set(NOWHERE)
    async with browser(founded, client=(address, 9)) as caller:
        answer = await caller.get("/api/v1/me", headers={"api-key": key})
        assert answer.status_code == status, answer.text
        assert status == 200 or "'bounded'" in answer.text


@pytest.mark.parametrize("bounds", [{"routes": ["moon"]}, {"networks": ["10.0.0.1/8"]}, {"networks": ["x"]}])
async def test_bounds_that_are_none_are_refused(client, bounds):
    """By the name of the field."""
    answer = await client.post("/api/v1/keys", json={"name": "k", **bounds})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(bounds)))


async def test_the_last_use_of_a_key_is_written_down(founded, client, clock):
    """Later than the request, and all at once."""
    key = (await client.post("/api/v1/keys", json={"name": "k"})).json()["key"]
    async with browser(founded) as caller:
        await caller.get("/api/v1/me", headers={"authorization": f"Bearer {key}"})
    await write_use(founded)
    used = {one.name: one.used_ms for one in await founded.store.read(list_keys)}
    assert used == {"default": None, "k": clock.ms}


def test_every_state_of_a_member_leads_somewhere_but_the_last():
    """Removed is for good."""
    assert member_rows.MEMBER.ends == {member_rows.REMOVED}


def test_a_digest_takes_the_whole_key():
    """Two keys that differ in their last character share nothing of their digests that could be aimed at."""
    key = rules.spell(rules.KEY_PREFIX, bytes)
    one, other = rules.digest_key(key, b"p" * 32), rules.digest_key(key[:-1] + "_", b"p" * 32)
    assert one[:4] != other[:4]
