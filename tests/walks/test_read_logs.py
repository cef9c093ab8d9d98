"""What engines wrote: the last lines, what came since, which replica, and never a secret."""

import pytest

from primeur.core.chat import Endpoint
from primeur.core.ports import EngineState
from primeur.registry.scaling import process_name
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.follow_changes import recompile
from primeur.walks.read_logs import LINE_MOST, READ_BYTES, SECRET, hide

KEY = "Zm9v-engine-key-0123456789"


@pytest.fixture
async def write(founded, host, owner):
    """Deploys ``chat``, which serves; gives what appends to the log of a replica."""
    revision = await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    place = Endpoint("http", "127.0.0.1", 9000, headers=((b"authorization", b"Bearer " + KEY.encode()),))
    host.states[revision.id] = EngineState("ready", endpoint=place, context_tokens=256, pid=1)
    await recompile(founded)
    folder = founded.place.data_dir / "engines"
    folder.mkdir(parents=True)

    def append(text: str, replica: int = 1) -> None:
        with (folder / f"{process_name(revision.id, replica)}.log").open("a", encoding="utf-8") as file:
            file.write(text)

    return append


@pytest.fixture
def read(client):
    async def ask(**query):
        answer = await client.get("/api/v1/deployments/chat/logs", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


async def test_the_last_lines_of_each_replica_and_then_what_came_since(write, read):
    """A line that is being written comes when it is whole."""
    write("one\ntwo\nthree\nfo")
    write("other\n", replica=2)
    found = await read(lines=2)
    assert [(one["revision"], one["replica"], one["lines"], one["more"]) for one in found["data"]] == [
        (1, 1, ["two", "three"], True), (1, 2, ["other"], False),
    ]  # fmt: skip
    write("ur\nfive\n")
    later = await read(since=found["next"], lines=1)
    assert [(one["lines"], one["more"]) for one in later["data"]] == [(["four"], True), ([], False)]
    assert [one["lines"] for one in (await read(since=later["next"]))["data"]] == [["five"], []]
    assert [one["replica"] for one in (await read(replica=2, revision=1))["data"]] == [2]


async def test_a_log_that_was_cut_is_read_from_its_beginning(founded, write, read):
    """The host cuts what outgrew its bound."""
    write("a" * 50 + "\n")
    found = await read()
    for path in (founded.place.data_dir / "engines").glob("*.log"):
        path.write_text("anew\n")
    assert (await read(since=found["next"]))["data"][0]["lines"] == ["anew"]


async def test_what_is_read_is_bounded(write, read):
    """In bytes and in the length of a line; the first line of a part is not half a line."""
    write("x" * (LINE_MOST + 9) + "\n")
    assert len((await read())["data"][0]["lines"][0]) == LINE_MOST
    write("".join(f"{number:07}\n" for number in range(READ_BYTES // 8 + 10)))
    first = (await read(lines=1000, since="1.1:0"))["data"][0]
    assert (len(first["lines"]), first["more"]) == (1000, True)
    last = (await read(lines=1000))["data"][0]
    assert (len(last["lines"]), last["more"], {len(line) for line in last["lines"]}) == (1000, True, {7})


async def test_no_secret_is_shown(write, read):
    """Neither the key of the engine that writes, nor what has a secret's form or is named as one."""
    made_up = "sk-" + "A1b2" * 8
    write(f"key {KEY} and {made_up}\nAuthorization: Bearer abcdefgh12345678\napi_key='s3cret-s3cret'\n")
    write("get https://user:password@example.org/x\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n")
    lines = (await read())["data"][0]["lines"]
    assert lines == [
        "key [secret] and [secret]", "Authorization: Bearer [secret]", "api_key='[secret]'",
        f"get https://user:{SECRET}@example.org/x", "[secret]",
    ]  # fmt: skip
    assert hide("MIIEvQIBADANBg\n-----END RSA PRIVATE KEY-----\nloaded") == "[secret]\nloaded"
    assert (
        hide("special_eos_token: 12345678 n_tokens = 123456789") == "special_eos_token: 12345678 n_tokens = 123456789"
    )


async def test_who_may_call_may_not_read_logs(client, write, deal):
    """A member's key is refused by the permission's name; an operator's reads, if the deployment is one of its own."""
    write("hello\n")
    for role, deployments, status in (("member", None, 403), ("operator", None, 200), ("operator", ["other"], 404)):
        if deployments:
            await deal("deployments/other", {"engine": "echo"}, "PUT")
        body = {"name": f"{role}-{status}", "role": role} | ({"deployments": deployments} if deployments else {})
        key = (await deal("keys", body))["key"]
        answer = await client.get("/api/v1/deployments/chat/logs", headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == status, answer.text
        assert status != 403 or "engine-logs:read" in answer.text
    hidden = await client.get("/api/v1/deployments/chat/logs?revision=9", headers={"authorization": f"Bearer {key}"})
    assert "there is no deployment" in hidden.text


async def test_what_cannot_be_read_is_told(client, founded, owner, write):
    """A revision that is not there, a place in no log, and a provider's deployment."""
    assert write
    await client.put("/api/v1/providers/cloud", json={"kind": "paper", "settings": {"url": "https://api.example.org"}})
    await deploy(founded, owner, "far", NewRevision(provider="cloud", upstream_model="gpt"))
    for name, query, status, words in (
        ("chat", {"revision": 9}, 404, "has no revision 9"),
        ("chat", {"since": "1.1"}, 400, "was not given by an answer before"),
        ("chat", {"lines": 1001}, 400, "lines"),
        ("far", {}, 400, "runs at a provider"),
        ("none", {}, 404, "none"),
    ):
        answer = await client.get(f"/api/v1/deployments/{name}/logs", params=query)
        assert (answer.status_code, words in answer.text) == (status, True), answer.text
