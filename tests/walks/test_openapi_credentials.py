"""Schemathesis over the whole document with every wrong credential: nobody gets in, and nothing breaks.

The requests are right in everything but who asks: made from what the document says that each door takes.
"""

import asyncio
from collections import Counter

import httpx2
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import openapi

from primeur.gateway.asgi import Gateway
from primeur.gateway.openapi import describe
from primeur.gateway.table import DOORS
from primeur.governance import rules

EXAMPLES = 2
OPEN = {(door.method, door.path) for door in DOORS if door.permission is None}
TIMEOUT_S = 20
HERE = "http://primeur.test"
BOUNDS = settings(
    max_examples=EXAMPLES, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
)


def requests():
    """A few for each operation: method, path of the document, and what httpx2 is told."""
    schema = openapi.from_dict(msgspec.json.decode(msgspec.json.encode(describe(DOORS))))
    return [told for one in schema.get_all_operations() for told in of_operation(one.ok())]


def of_operation(operation):
    """As they come of its description."""
    found = []

    @seed(1)
    @BOUNDS
    @given(operation.as_strategy())
    def collect(case):
        found.append((operation.method.upper(), operation.path, case.as_transport_kwargs(base_url=HERE)))

    collect()
    return found


@pytest.fixture(scope="module")
def made():
    """The requests, made once."""
    return requests()


async def send(client, told, key):
    """Send one request with a key or with none."""
    given_ = {name: told[name] for name in ("params", "json", "data", "files") if told.get(name) is not None}
    kept = {"accept", "content-type"}
    headers = {name: value for name, value in (told.get("headers") or {}).items() if name.lower() in kept}
    if isinstance(given_.get("data"), bytes | str):
        given_["content"] = given_.pop("data")
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    async with asyncio.timeout(TIMEOUT_S):
        return await client.request(told["method"], told["url"], headers=headers, **given_)


async def test_wrong_keys_open_nothing(founded, client, clock, made):
    """None, mistyped, unknown, revoked, expired: 401 at every door, whatever is asked."""
    create = {"name": "old", "role": "owner", "expires_ms": clock.ms + 1000}
    expired = (await client.post("/api/v1/keys", json=create)).json()["key"]
    revoked = (await client.post("/api/v1/keys", json={"name": "gone", "role": "owner"})).json()["key"]
    await client.delete("/api/v1/keys/gone")
    clock.ms += 2000
    keys = [
        None,
        "",
        expired[:-1] + "~",
        "sk-live-of-somebody-else",
        revoked,
        expired,
        rules.spell(rules.KEY_PREFIX, bytes),
    ]
    answered: Counter[int] = Counter()
    transport = httpx2.ASGITransport(Gateway(founded), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=HERE) as nobody:
        for number, (method, path, told) in enumerate(made):
            key = keys[number % len(keys)]
            answer = await send(nobody, told, key)
            answered[answer.status_code] += 1
            if (method, path) not in OPEN:
                assert answer.status_code in {400, 401, 404, 405, 413, 415}, (method, path, key, answer.text)
            assert answer.status_code < 500, (method, path, answer.text)
    assert answered[401] > len(made) * 0.8, answered
    assert len(made) > 400


async def test_another_tenants_key_opens_nothing_of_ours(founded, client, made):
    """Its owner asks with our names and ids: no answer has a word of ours, nothing of ours changes, nothing breaks."""
    from tests.walks.test_tenants import caller, filled, owner_key  # noqa: PLC0415

    key, _ = await owner_key(founded, client, "acme")
    ours = (await client.get("/api/v1/me")).json()["project"]["id"]
    await client.patch(f"/api/v1/projects/{ours}", json={"rpm": 4242})
    kept = (await client.post("/api/v1/keys", json={"name": "marked-4242", "role": "member"})).json()
    ids = {"project": ours, "key": kept["id"], "organisation": "default"}
    before = [(await client.get(path)).text for path in ("/api/v1/projects", f"/api/v1/keys/{kept['id']}")]
    async with caller(founded, key) as theirs:
        for method, path, told in made:
            target = told | {"url": f"{HERE}{filled(path, ids)}"}
            answer = await send(theirs, target, key)
            assert answer.status_code < 500, (method, path, answer.text)
            if answer.is_success:
                assert not any(word in answer.text for word in (ours, kept["id"], "marked-4242", "4242")), (
                    method,
                    path,
                )
                assert not {ours, kept["id"]} & set(target["url"].split("/")), (method, path)
    assert [(await client.get(path)).text for path in ("/api/v1/projects", f"/api/v1/keys/{kept['id']}")] == before
