"""What becomes of people's data: masked, kept for its time, erased, exported, and never trained on unasked."""

import io
import tarfile

import msgspec
import pytest

from primeur.core.errors import BadRequest, NotPermitted
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.audit_rows import AuditSearch, search_events
from primeur.governance.data_rules import DataPolicy, kept_answer, kept_prompt
from primeur.metering import rows as metering
from primeur.metering.usage_rows import sum_usage
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.create_project import ProjectChange, change_project
from primeur.walks.export_project import export_project, take_training_data
from primeur.walks.keep_data import DataChange, Erasure, erase_person, forget_kept, set_data_policy

DAY_MS = 86_400_000
ALL = DataPolicy("p").masks


def asked(number, owner, **more) -> UsageEvent:
    prompt = msgspec.json.encode({"messages": [], "user": more.pop("user", "ada")}).decode()
    return UsageEvent(
        f"req_{number}", more.pop("at_ms", 0), "chat", "completed", 200, owner.project_id, "key_1", "d",
        usage=Usage(10, 0, 5), cost_nanos=7, currency="EUR", address="10.0.0.1", prompt=prompt, answer="said", **more,
    )  # fmt: skip


async def keep(house, *events):
    await house.store.transact(lambda tx: metering.keep_usage(tx, list(events), metering.Cursor("usage", 1, 1)))


async def logged(client, name) -> dict:
    return (await client.get(f"/api/v1/requests/{name}")).json()


async def whole(pieces) -> bytes:
    return b"".join([piece async for piece in pieces])


def test_a_streamed_answer_is_put_together_before_it_is_masked():
    """What would be found may be spread over many events."""
    events = [
        'data: {"choices":[{"index":0,"delta":{"content":"write to ada@exa"}}]}\n\n',
        'data: {"choices":[{"index":0,"delta":{"content":"mple.org"}}]}\n\n',
        'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"411111111"}}]}}]}\n\n',
        'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1111111"}}]}}]}\n\n',
        "data: [DONE]\n\n",
    ]
    kept = kept_answer(events, ALL)
    assert msgspec.json.decode(kept) == {"0.content": "write to [email]", "0.tool_calls.0.function.arguments": "[card]"}
    assert kept_answer(events, ()) == "".join(events)


def test_a_prompt_keeps_whom_it_names():
    """Or nobody could have that person's traces erased."""
    body = b'{"user":"ada@example.org","messages":[{"content":"I am ada@example.org"}]}'
    kept = msgspec.json.decode(kept_prompt(body, ALL))
    assert kept == {"user": "ada@example.org", "messages": [{"content": "I am [email]"}]}
    assert kept_prompt(b"not json ada@example.org", ALL) == "not json [email]"


async def test_every_mask_is_on_until_a_project_chooses(founded, owner):
    """And only where anything is kept."""
    assert {one.masks for one in (await compile_snapshot(founded)).callers.values() if not one.keeps_prompts} == {()}
    await change_project(founded, owner, "default", ProjectChange(keeps_prompts=True))
    keys = [one for one in (await compile_snapshot(founded)).callers.values() if one.key_id != "operator"]
    assert {one.masks for one in keys} == {ALL}
    await set_data_policy(founded, owner, "default", DataChange(masks=["card", "secret"]))
    keys = [one for one in (await compile_snapshot(founded)).callers.values() if one.key_id != "operator"]
    assert {one.masks for one in keys} == {("secret", "card")}


@pytest.mark.parametrize(
    "change", [{"keep_days": 0}, {"keep_days": 9999}, {"masks": ["x"]}, {"zones": []}, {"zones": ["a b"]}]
)
async def test_a_policy_that_cannot_be_is_refused(founded, owner, change):
    """By name."""
    with pytest.raises(BadRequest):
        await set_data_policy(founded, owner, "default", DataChange(**change))


async def test_what_is_old_is_forgotten_and_stays_in_the_books(client, founded, owner, clock):
    """Thirty days, unless the project says otherwise."""
    await keep(founded, asked(1, owner, at_ms=clock.ms - 31 * DAY_MS), asked(2, owner, at_ms=clock.ms - 29 * DAY_MS))
    assert await forget_kept(founded) == 1
    old, new = await logged(client, "req_1"), await logged(client, "req_2")
    assert (old["prompt"], old["answer"], old["cost_nanos"], new["answer"]) == (None, None, 7, "said")
    await set_data_policy(founded, owner, "default", DataChange(keep_days=None))
    clock.ms += 100 * DAY_MS
    assert await forget_kept(founded) == 0
    await set_data_policy(founded, owner, "default", DataChange(keep_days=1))
    assert await forget_kept(founded) == 1


async def test_a_person_is_erased_and_the_books_are_not(client, founded, owner):
    """Nobody else loses anything, and the event log does not say the name again."""
    await keep(founded, asked(1, owner), asked(2, owner, user="bob"), asked(3, owner))
    before = await founded.store.read(lambda tx: sum_usage(tx, "key", from_ms=0, to_ms=1))
    erased = await erase_person(founded, owner, Erasure(subject="ada"))
    assert (erased.requests, erased.responses) == (2, 0)
    assert [(await logged(client, f"req_{number}"))["answer"] for number in (1, 2, 3)] == [None, "said", None]
    assert (await logged(client, "req_1"))["address"] == ""
    assert await founded.store.read(lambda tx: sum_usage(tx, "key", from_ms=0, to_ms=1)) == before
    [told] = await founded.store.read(lambda tx: search_events(tx, AuditSearch(kind="PersonErased"), None, 9))
    assert "ada" not in told.data
    with pytest.raises(BadRequest):
        await erase_person(founded, owner, Erasure(subject=" "))


async def test_an_export_has_all_that_a_project_owns(client, founded, owner):
    """Files with their bytes, keys without what opens them, nothing of anybody else."""
    await keep(founded, asked(1, owner))
    sent = {"file": ("notes.jsonl", b'{"a":1}\n'), "purpose": (None, "user_data")}
    made = (await client.post("/v1/files", files=sent)).json()
    await client.post("/api/v1/projects", json={"name": "other"})
    archive = tarfile.open(fileobj=io.BytesIO(await whole(await export_project(founded, owner, "default"))))  # noqa: SIM115
    names = archive.getnames()
    assert f"files/{made['id']}" in names
    assert archive.extractfile(f"files/{made['id']}").read() == b'{"a":1}\n'
    assert b'"req_1"' in archive.extractfile("requests.jsonl").read()
    assert b"digest" not in archive.extractfile("keys.jsonl").read()
    everything = b"".join(archive.extractfile(name).read() for name in names)
    assert b"other" not in everything
    archive.close()


async def test_what_is_kept_trains_nothing_until_the_project_opts_in(founded, owner):
    """There is one way out, and it looks at the choice."""
    await keep(founded, asked(1, owner))
    with pytest.raises(NotPermitted, match="trains nothing"):
        await take_training_data(founded, owner, "default")
    await set_data_policy(founded, owner, "default", DataChange(trains=True))
    lines = (await whole(await take_training_data(founded, owner, "default"))).splitlines()
    assert [msgspec.json.decode(line)["answer"] for line in lines] == ["said"]


async def test_the_doors_do_all_of_it(client):
    """In the operator's name."""
    shown = (await client.patch("/api/v1/projects/default/data", json={"zones": ["eu"], "keep_days": 7})).json()
    assert (shown["zones"], shown["keep_days"], shown["trains"]) == (["eu"], 7, False)
    assert (await client.get("/api/v1/projects/default/data")).json() == shown
    assert (await client.post("/api/v1/erasures", json={"subject": "x"})).json() == {
        "requests": 0, "responses": 0, "conversations": 0,
    }  # fmt: skip
    assert (await client.post("/api/v1/projects/default/export")).headers["content-type"] == "application/x-tar"
    assert (await client.post("/api/v1/projects/default/training-data")).status_code == 403
