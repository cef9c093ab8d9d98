"""An identity provider keeps users and groups over SCIM 2.0, as Entra ID and Okta do it."""

import httpx2
import pytest

from primeur.gateway.asgi import Gateway
from primeur.walks.follow_changes import recompile
from primeur.walks.sign_in import sign_in

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ADA = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
    "userName": "ada@example.org",
    "externalId": "42",
    "active": True,
    "name": {"givenName": "Ada", "familyName": "Lovelace"},
    "emails": [{"primary": True, "type": "work", "value": "ada@example.org"}],
    ENTERPRISE: {"department": "Engines"},
    "password": "never kept or shown",
}


def speaking(founded, key):
    headers = {"authorization": f"Bearer {key}", "content-type": "application/scim+json"}
    transport = httpx2.ASGITransport(Gateway(founded))
    return httpx2.AsyncClient(transport=transport, base_url="http://primeur.test/scim/v2", headers=headers)


@pytest.fixture
async def scim(founded, client):
    """A client with a key that may do nothing else."""
    await client.put("/api/v1/roles/scim", json={"permissions": ["scim"]})
    key = (await client.post("/api/v1/keys", json={"name": "idp", "role": "scim"})).json()["key"]
    async with speaking(founded, key) as made:
        yield made


def patch(*operations):
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


async def test_a_user_is_added_found_changed_and_removed(scim):
    """With everything that was said, but for the password."""
    made = await scim.post("/Users", json=ADA)
    assert (made.status_code, made.headers["content-type"]) == (201, "application/scim+json")
    one, shown = f"/Users/{made.json()['id']}", made.json()
    assert made.headers["location"] == shown["meta"]["location"] == f"https://primeur.test/scim/v2{one}"
    assert {key: shown[key] for key in ADA if key != "password"} == {k: v for k, v in ADA.items() if k != "password"}
    assert "never kept" not in made.text
    found = (await scim.get("/Users", params={"filter": 'userName eq "ADA@example.org"'})).json()
    assert (found["totalResults"], found["Resources"][0]["externalId"]) == (1, "42")
    assert (await scim.put(one, json={"userName": "ada@example.org"})).json()["displayName"] == "ada@example.org"
    again = await scim.post("/Users", json=ADA | {"userName": "ADA@example.org"})
    assert (again.status_code, again.json()["scimType"], again.json()["status"]) == (409, "uniqueness", "409")
    assert (await scim.delete(one)).status_code == 204
    gone = await scim.get(one)
    assert (gone.status_code, gone.json()["schemas"]) == (404, ["urn:ietf:params:scim:api:messages:2.0:Error"])
    assert (await scim.post("/Users", json=ADA)).status_code == 201


async def test_patches_of_entra_and_okta_are_understood(scim):
    """Capitals, texts for truth values, dotted names, value paths that fit nothing yet, whole objects."""
    one = f"/Users/{(await scim.post('/Users', json=ADA)).json()['id']}"
    entra = patch(
        {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "+33 1"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "a@example.org"},
        {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Mills"},
        {"op": "Replace", "value": {"displayName": "Ada L.", "name.familyName": "King", "active": "False"}},
    )
    changed = (await scim.patch(one, json=entra)).json()
    assert changed["phoneNumbers"] == [{"type": "work", "value": "+33 1"}]
    assert changed["emails"][0]["value"] == "a@example.org"
    assert (changed[ENTERPRISE]["department"], changed["name"]["familyName"]) == ("Mills", "King")
    assert (changed["displayName"], changed["active"]) == ("Ada L.", False)
    okta = patch({"op": "replace", "value": {"active": True}})
    assert (await scim.patch(one, json=okta)).json()["active"] is True
    left = await scim.patch(one, json=patch({"op": "remove", "path": "phoneNumbers"}))
    assert "phoneNumbers" not in left.json()


async def test_deactivation_ends_sessions_and_keys_at_once(founded, client, scim):
    """Within the answer to the identity provider."""
    made = (await scim.post("/Users", json=ADA)).json()
    link = (await client.post("/api/v1/sign-in-links", json={"member": made["id"]})).json()["path"]
    key = (await client.post("/api/v1/keys", json={"name": "hers", "role": "member", "member": made["id"]})).json()
    opened = await sign_in(founded, link.rpartition("/")[2])
    await recompile(founded)
    headers = {"x-primeur-console": "1", "cookie": f"primeur_session={opened.text}"}
    transport = httpx2.ASGITransport(Gateway(founded))
    async with httpx2.AsyncClient(transport=transport, base_url="http://primeur.test", headers=headers) as ada:
        bearer = {"authorization": f"Bearer {key['key']}"}
        assert (await ada.get("/api/v1/me")).status_code == 200
        assert (await ada.get("/v1/models", headers=bearer)).status_code == 200
        off = patch({"op": "replace", "path": "active", "value": False})
        assert not (await scim.patch(f"/Users/{made['id']}", json=off)).json()["active"]
        assert (await ada.get("/api/v1/me")).status_code == 401
        assert (await ada.get("/v1/models", headers=bearer)).status_code == 401


async def test_roles_follow_groups_where_the_settings_say_so(client, scim):
    """In, out, renamed and gone; whoever is in another group keeps what they are."""
    await client.put("/api/v1/sign-in", json={"groups": [{"group": "audit", "role": "auditor"}]})
    ada = (await scim.post("/Users", json=ADA)).json()["id"]

    async def role():
        return (await client.get(f"/api/v1/members/{ada}")).json()["role"]

    group = (await scim.post("/Groups", json={"displayName": "audit", "members": [{"value": ada}]})).json()
    one = f"/Groups/{group['id']}"
    assert await role() == "auditor"
    out = patch({"op": "remove", "path": f'members[value eq "{ada}"]'})
    assert (await scim.patch(one, json=out)).json()["members"] == []
    assert await role() == "member"
    into = patch({"op": "Add", "path": "members", "value": [{"value": ada}]})
    assert (await scim.patch(one, json=into)).json()["members"][0]["display"] == "Ada Lovelace"
    assert (await scim.get(f"/Users/{ada}")).json()["groups"][0]["display"] == "audit"
    await client.patch(f"/api/v1/members/{ada}", json={"role": "operator"})
    await scim.post("/Groups", json={"displayName": "choir", "members": [{"value": ada}]})
    assert await role() == "operator"
    gone = patch({"op": "Remove", "path": "members", "value": [{"value": ada}]})
    assert (await scim.patch(one, json=gone)).json()["members"] == []
    assert await role() == "member"
    assert (await scim.delete(one)).status_code == 204
    assert (await scim.get("/Groups", params={"excludedAttributes": "members"})).json()["totalResults"] == 1


async def test_the_last_owner_stays(client, scim):
    """Whatever an identity provider says."""
    owner = next(one for one in (await scim.get("/Users")).json()["Resources"])
    off = await scim.patch(f"/Users/{owner['id']}", json=patch({"op": "replace", "path": "active", "value": False}))
    assert (off.status_code, "last owner" in off.json()["detail"]) == (409, True)
    assert (await client.get(f"/api/v1/members/{owner['id']}")).json()["state"] != "disabled"


async def test_pages_and_papers(scim):
    """Lists are cut as asked; what SCIM can do is said."""
    for number in range(3):
        await scim.post("/Users", json={"userName": f"u{number}"})
    page = (await scim.get("/Users", params={"startIndex": 2, "count": 2, "attributes": "userName"})).json()
    assert (page["totalResults"], page["itemsPerPage"], page["startIndex"]) == (4, 2, 2)
    assert set(page["Resources"][0]) == {"schemas", "id", "userName"}
    assert (await scim.get("/Users", params={"count": 0})).json()["itemsPerPage"] == 0
    config = (await scim.get("/ServiceProviderConfig")).json()
    assert config["patch"]["supported"]
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"
    for name, count in (("Schemas", 3), ("ResourceTypes", 2)):
        listed = (await scim.get(f"/{name}")).json()
        assert listed["totalResults"] == count
        for one in listed["Resources"]:
            assert (await scim.get(f"/{name}/{one['id']}")).json() == one


async def test_searches_by_post_find_what_queries_find(scim):
    """Users, groups, and both at the root; the filter is in the body, where no log of addresses has it."""
    await scim.post("/Users", json=ADA)
    await scim.post("/Groups", json={"displayName": "choir"})
    asked = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": 'userName eq "ada@example.org"',
        "attributes": ["userName"],
        "startIndex": 1,
        "count": 10,
    }
    query = {"filter": asked["filter"], "attributes": "userName", "count": 10}
    found = await scim.post("/Users/.search", json=asked)
    assert (found.status_code, found.headers["content-type"]) == (200, "application/scim+json")
    assert found.json() == (await scim.get("/Users", params=query)).json()
    assert set(found.json()["Resources"][0]) == {"schemas", "id", "userName"}
    assert (await scim.post("/.search", json=asked)).json() == found.json()
    assert (await scim.post("/Groups/.search", json=asked)).json()["totalResults"] == 0
    groups = {"filter": 'meta.resourceType eq "Group"', "excludedAttributes": ["members"]}
    (choir,) = (await scim.post("/.search", json=groups)).json()["Resources"]
    assert (choir["displayName"], "members" in choir) == ("choir", False)
    assert (await scim.post("/.search", json={"count": -1})).json()["itemsPerPage"] == 0


async def test_me_is_whom_the_key_belongs_to(founded, client, scim):
    """Where a key is nobody's, that is said."""
    made = (await scim.post("/Users", json=ADA)).json()
    key = await client.post("/api/v1/keys", json={"name": "hers", "role": "scim", "member": made["id"]})
    async with speaking(founded, key.json()["key"]) as ada:
        me = await ada.get("/Me")
        assert (me.status_code, me.json()) == (200, made)
        assert me.headers["location"] == made["meta"]["location"]
        renamed = await ada.patch("/Me", json=patch({"op": "replace", "path": "displayName", "value": "Ada L."}))
        assert (renamed.status_code, renamed.json()["displayName"]) == (200, "Ada L.")
        assert (await ada.put("/Me", json=ADA)).json()["id"] == made["id"]
        assert (await ada.post("/Me", json=ADA)).status_code == 405
        gone = await ada.delete("/Me")
        assert (gone.status_code, gone.headers["location"]) == (204, made["meta"]["location"])
        assert (await ada.get("/Me")).status_code == 401
    nobody = await scim.get("/Me")
    assert (nobody.status_code, nobody.json()["status"]) == (404, "404")


@pytest.mark.parametrize(
    ("ask", "body", "expected"),
    [
        ("GET /Users?filter=userName+is+x", None, (400, "invalidFilter")),
        ("GET /Users?count=many", None, (400, "invalidValue")),
        ("POST /Users/.search", {"filter": "userName is x"}, (400, "invalidFilter")),
        ("POST /.search", {"count": "many"}, (400, "invalidValue")),
        ("POST /.search", [], (400, "invalidValue")),
        ("GET /.search", None, (405, None)),
        ("POST /Users", {"displayName": "nobody"}, (400, "invalidValue")),
        ("POST /Users", {"userName": "x", "active": "perhaps"}, (400, "invalidValue")),
        ("POST /Users", {"userName": "x", "emails": "x@example.org"}, (400, "invalidValue")),
        ("POST /Users", {"userName": "x", "title": "y" * 20_000}, (400, "invalidValue")),
        ("POST /Groups", {"displayName": "g", "members": [{"value": "mem_0"}]}, (400, "invalidValue")),
        ("PATCH /Users/{id}", patch({"op": "replace", "path": "id", "value": "x"}), (400, "mutability")),
        ("PATCH /Users/{id}", patch({"op": "move"}), (400, "invalidSyntax")),
        ("PATCH /Users/{id}", patch({"op": "remove"}), (400, "noTarget")),
        ("PATCH /Users/{id}", patch({"op": "add", "path": "a b", "value": 1}), (400, "invalidPath")),
        ("PATCH /Users/{id}", {}, (400, "invalidSyntax")),
        ("GET /Nothing", None, (404, None)),
        ("POST /Users/{id}", {}, (405, None)),
    ],
)
async def test_what_is_wrong_is_said_in_scims_own_form(scim, ask, body, expected):
    """With the status as a text, as RFC 7644 has it."""
    method, _, path = ask.partition(" ")
    if "{id}" in path:
        path = path.format(id=(await scim.post("/Users", json=ADA)).json()["id"])
    answer = await scim.request(method, path, json=body) if body is not None else await scim.request(method, path)
    said = answer.json()
    assert (answer.status_code, said.get("scimType")) == expected
    assert said["status"] == str(expected[0])
    assert answer.headers["content-type"] == "application/scim+json"


async def test_an_organisation_keeps_its_own_people_only(founded, client, scim):
    """Ids of others' users and groups are as unknown as made-up ones."""
    ours = (await scim.post("/Users", json=ADA)).json()["id"]
    group = (await scim.post("/Groups", json={"displayName": "g"})).json()["id"]
    other = (await client.post("/api/v1/organisations", json={"name": "Other", "owner": "Eve"})).json()
    made = await client.post("/api/v1/keys", json={"name": "x", "role": "admin", "project": other["project_id"]})
    async with speaking(founded, made.json()["key"]) as eve:
        assert (await eve.get("/Users")).json()["totalResults"] == 1
        for path in (f"/Users/{ours}", f"/Groups/{group}"):
            assert (await eve.get(path)).status_code == 404
            assert (await eve.put(path, json={"userName": "x", "displayName": "x"})).status_code == 404
            assert (await eve.delete(path)).status_code == 404
        taken = await eve.post("/Groups", json={"displayName": "g", "members": [{"value": ours}]})
        assert taken.status_code == 400
        assert (await eve.post("/Users", json=ADA)).status_code == 201
    plain = (await client.post("/api/v1/keys", json={"name": "plain", "role": "member"})).json()["key"]
    async with speaking(founded, plain) as member:
        refused = await member.get("/Users")
        assert (refused.status_code, refused.json()["status"]) == (403, "403")
    async with speaking(founded, "pk_wrong") as nobody:
        assert (await nobody.get("/Users")).json()["status"] == "401"
