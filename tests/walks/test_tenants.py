"""Every role at every door, in the organisation that runs the house and in a tenant; nobody sees the other."""

import httpx2
import pytest

from primeur.gateway.asgi import Gateway
from primeur.gateway.table import DOORS
from primeur.governance import rules

GUARDED = [door for door in DOORS if door.permission is not None]


def filled(path, ids):
    """Put ids into placeholders; what has none is called x."""
    return "/".join(ids.get(part[1:-1], "x") if part[:1] == "{" else part for part in path.split("/"))


def caller(founded, key):
    transport = httpx2.ASGITransport(Gateway(founded), raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.AsyncClient(transport=transport, base_url="http://primeur.test", headers=headers)


async def owner_key(founded, client, organisation):
    """Add an organisation and give an owner's key of it, made by its owner with a session."""
    from primeur.walks.compile_snapshot import compile_snapshot  # noqa: PLC0415
    from primeur.walks.create_key import NewKey, create_key  # noqa: PLC0415
    from primeur.walks.sign_in import sign_in  # noqa: PLC0415

    made = (await client.post("/api/v1/organisations", json={"name": organisation})).json()
    opened = await sign_in(founded, made["path"].rpartition("/")[2])
    digest = rules.digest_key(opened.text, founded.place.pepper)
    owner = (await compile_snapshot(founded)).sessions[digest]
    text = (await create_key(founded, owner, NewKey(name="root", role="owner"))).text
    return text, made


@pytest.mark.parametrize("home", [True, False], ids=["home", "tenant"])
@pytest.mark.parametrize("role", list(rules.roles))
async def test_every_door_opens_for_exactly_those_who_may(founded, client, role, home):
    """By a real key of the role: refused with 403 when and only when the role lacks the door's permission."""
    key = rules.operator_key(founded.place.pepper) if home else (await owner_key(founded, client, "acme"))[0]
    async with caller(founded, key) as owner:
        made = (await owner.post("/api/v1/keys", json={"name": f"as-{role}", "role": role})).json()
    granted = rules.permissions_of(role, home=home)
    wrong = []
    async with caller(founded, made["key"]) as theirs:
        for door in GUARDED:
            answer = await theirs.request(door.method, filled(door.path, {}))
            refused = answer.status_code == 403 and f"({door.permission})" in answer.text
            if refused == (door.permission in granted) or answer.status_code == 401:
                wrong.append((door.method, door.path, answer.status_code))
    assert wrong == []


async def test_nobody_of_one_organisation_sees_anything_of_another(founded, client):
    """Its owner, with every permission a tenant can have, is told that nothing of the other is there."""
    key, made = await owner_key(founded, client, "acme")
    project = (await client.get("/api/v1/me")).json()["project"]["id"]
    person = (await client.post("/api/v1/members", json={"name": "Ada", "user_name": "ada@example.org"})).json()
    secret = (await client.get("/api/v1/keys/default")).json()["id"]
    ids = {"project": project, "key": secret, "member": person["id"], "organisation": person["organisation_id"]}
    ours = set(ids.values())
    async with caller(founded, key) as theirs:
        for door in GUARDED:
            path = filled(door.path, ids)
            answer = await theirs.request(door.method, path)
            if path != door.path and ours & set(path.split("/")):
                assert answer.status_code >= 400, (door.method, path)
            shown = answer.text if answer.status_code < 400 else ""
            assert [one for one in ours if one in shown] == [], (door.method, path)
        for query in (f"project={project}", "project=default"):
            seen = await theirs.get(f"/api/v1/keys?{query}")
            assert secret not in seen.text
        assert (await theirs.get("/api/v1/projects")).json()["data"][0]["id"] == made["project_id"]
        own = (await theirs.get("/api/v1/organisations")).json()["data"]
    assert [one["name"] for one in own] == ["acme"]
    assert (await client.get(f"/api/v1/keys/{secret}")).json()["revoked_ms"] is None


async def test_an_owner_of_a_tenant_makes_no_more_of_themselves(founded, client):
    """A role of their own cannot name what all share, and a key cannot have it."""
    key, _ = await owner_key(founded, client, "acme")
    async with caller(founded, key) as theirs:
        refused = await theirs.put("/api/v1/roles/king", json={"permissions": ["providers:write"]})
        assert refused.status_code == 403
        made = await theirs.put("/api/v1/roles/help-desk", json={"permissions": ["members:read"]})
        assert made.json()["own"]
        assert (await theirs.post("/api/v1/keys", json={"name": "k", "role": "help-desk"})).status_code == 201
        assert (await theirs.delete("/api/v1/roles/help-desk")).status_code == 409
    assert (await client.post("/api/v1/keys", json={"name": "k", "role": "help-desk"})).status_code == 400
