"""Deployments that follow their model by themselves, on their terms; everybody is told before a version ends."""

import msgspec
import pytest

from primeur.billing import alert_rows
from primeur.core.chat import Ask, Route
from primeur.core.errors import BadRequest, Conflict, OverReserved, VersionRetired
from primeur.core.usage import Usage
from primeur.core.wire import ChatRequest
from primeur.registry import deployment_rows, roll_out_rows, rows
from primeur.registry.upgrades import DAY_MS
from primeur.store.database import Tx
from primeur.store.schema import events
from primeur.walks.add_model import NewVersion, add_model
from primeur.walks.admit import admit, settle
from primeur.walks.apply import apply
from primeur.walks.change_model import VersionChange, change_version
from primeur.walks.deploy import NewRevision, deploy, write_revision
from primeur.walks.follow_changes import recompile
from primeur.walks.roll_out import HandMove, move_by_hand
from primeur.walks.set_terms import TermsChange, set_terms
from primeur.walks.tell_retirements import tell_retirements
from primeur.walks.upgrade_deployments import upgrade_once


@pytest.fixture
async def tiny(founded, owner, write_gguf, host):
    """A model of one version, deployed as chat, which follows the default."""
    await add_model(founded, owner, NewVersion("tiny"), write_gguf())
    revision = await deploy(founded, owner, "chat", NewRevision(model="tiny", upgrade="OnceNewDefaultVersionAvailable"))
    host.ready(revision.id)
    return revision


async def another(house, owner, write_gguf):
    return await add_model(house, owner, NewVersion("tiny"), write_gguf("other.gguf", name="other"))


async def newest(house):
    """The newest revision's version number, its share, and the state of the roll-out."""
    revision = (await house.store.read(deployment_rows.list_revisions))[0]
    numbers = {one.id: one.number for one in await house.store.read(rows.list_versions)}
    found = await house.store.read(roll_out_rows.list_roll_outs)
    return numbers[revision.version_id], revision.share, found[0].state if found else None


async def told(house, kind):
    def read(tx: Tx):
        return [msgspec.json.decode(row.data) for row in tx.execute(events.select().where(events.c.kind == kind))]

    return await house.store.read(read)


def asking(house, *, low_priority=False) -> Ask:
    body = b'{"model":"chat","max_tokens":60,"messages":[{"role":"user","content":"hello"}]}'
    fields = msgspec.json.decode(body, type=ChatRequest)
    clock = house.clock
    return Ask("req_1", Route.CHAT, body, fields, clock.now_ms(), clock.monotonic_us(), low_priority=low_priority)


@pytest.mark.usefixtures("tiny")
async def test_a_new_default_is_rolled_out_in_judged_steps(founded, owner, write_gguf):
    """Once; while the roll-out is under way nothing else begins, and a version gone back from is not tried again."""
    assert await upgrade_once(founded, {}) == 0
    await another(founded, owner, write_gguf)
    assert (await upgrade_once(founded, {}), await upgrade_once(founded, {})) == (1, 0)
    assert await newest(founded) == (2, 0, "registered")
    (event,) = await told(founded, "DeploymentUpgraded")
    assert (event["before"], event["after"], event["policy"]) == (1, 2, "OnceNewDefaultVersionAvailable")
    await move_by_hand(founded, owner, "chat", HandMove(move="roll_back"))
    assert await upgrade_once(founded, {}) == 0


@pytest.mark.usefixtures("tiny")
async def test_who_never_upgrades_is_refused_once_the_version_has_ended(founded, owner, write_gguf, client):
    """With the version, the day and what to do, also where deployments are listed; who follows goes on answering."""
    await another(founded, owner, write_gguf)
    await change_version(founded, owner, "tiny", 1, VersionChange(retires="2100-01-01"))
    await set_terms(founded, owner, "chat", TermsChange(upgrade="NoAutoUpgrade"))
    await recompile(founded)
    settle(founded, asking(founded), admit(founded, owner, asking(founded)))
    founded.clock.ms = 4_102_444_800_000
    with pytest.raises(VersionRetired, match=r"version 1 of 'tiny' ended on 2100-01-01.*create chat --model tiny"):
        admit(founded, owner, asking(founded))
    shown = (await client.get("/api/v1/deployments/chat")).json()
    assert (shown["state"], shown["pending"][:34]) == ("ended", "version 1 of 'tiny' ended on 2100-")
    assert (await client.get("/api/v1/status")).json()["state"] == "ready"
    assert await upgrade_once(founded, {}) == 0
    with pytest.raises(Conflict):
        await deploy(founded, owner, "other", NewRevision(model="tiny", version=1))
    await set_terms(founded, owner, "chat", TermsChange(upgrade="OnceCurrentVersionExpired"))
    await recompile(founded)
    settle(founded, asking(founded), admit(founded, owner, asking(founded)))
    assert await upgrade_once(founded, {}) == 1
    assert await newest(founded) == (2, 0, "registered")


@pytest.mark.usefixtures("tiny")
async def test_everybody_is_told_before_a_version_ends(founded, owner):
    """By event, webhook and mail, each notice once; another day is news."""
    clock, day = founded.clock, "2100-01-01"
    for kind, address in (("email", "ops@example.org"), ("webhook", "https://hooks.example.org/x")):
        target = alert_rows.AlertTarget(f"alt_{kind}", kind, address, "fr", 1)
        await founded.store.transact(lambda tx, target=target: alert_rows.add_target(tx, target))
    await change_version(founded, owner, "tiny", 1, VersionChange(retires=day))
    ends_ms = 4_102_444_800_000
    for before_days, notices in ((120, 0), (29, 1), (29, 0), (7, 1), (0, 1), (-3, 0)):
        clock.ms = ends_ms - before_days * DAY_MS
        assert await tell_retirements(founded) == notices
    assert [one["days"] for one in await told(founded, "RetirementNear")] == [30, 7, 0]
    mails = await founded.store.read(lambda tx: alert_rows.due_mails(tx, ends_ms, 10))
    assert len(mails) == 3
    assert "prend fin le 2100-01-01" in mails[0].subject
    await change_version(founded, owner, "tiny", 1, VersionChange(retires="2100-01-05"))
    clock.ms = ends_ms
    assert await tell_retirements(founded) == 1


@pytest.mark.usefixtures("tiny")
async def test_a_reserved_throughput_lets_in_until_it_is_used_up(founded, owner):
    """And says when to come back; what an answer did not use is given back; a new snapshot forgets nothing."""
    await set_terms(founded, owner, "chat", TermsChange(type="provisioned", reserved_tokens_per_minute=60))
    await recompile(founded)
    first = admit(founded, owner, asking(founded))
    with pytest.raises(OverReserved) as over:
        admit(founded, owner, asking(founded))
    await recompile(founded)
    founded.clock.ms += over.value.retry_after_ms
    second = admit(founded, owner, asking(founded))
    settle(founded, asking(founded), first, Usage(20, output_tokens=1))
    settle(founded, asking(founded), second)
    settle(founded, asking(founded), admit(founded, owner, asking(founded)))


@pytest.mark.usefixtures("tiny")
async def test_a_batch_deployment_answers_batches_only(founded, owner):
    """A person is told what to do; terms that contradict each other change nothing."""
    await set_terms(founded, owner, "chat", TermsChange(type="batch"))
    await recompile(founded)
    with pytest.raises(BadRequest, match="answers batches only"):
        admit(founded, owner, asking(founded))
    lines = asking(founded, low_priority=True)
    settle(founded, lines, admit(founded, owner, lines))
    for wrong in (TermsChange(type="standard"), TermsChange(reserved_tokens_per_minute=5)):
        with pytest.raises(BadRequest):
            await set_terms(founded, owner, "chat", wrong)


async def test_terms_are_declared_and_shown(founded, owner, client):
    """In the file, by the API; a second time there is nothing to do."""
    about = {"type": "provisioned", "reserved_tokens_per_minute": 600, "upgrade": "OnceCurrentVersionExpired"}
    document = {"deployments": {"chat": {"engine": "echo"} | about}}
    await apply(founded, owner, document, dry_run=False)
    assert (await apply(founded, owner, document, dry_run=False)).changes == []
    shown = (await client.get("/api/v1/deployments/chat")).json()
    assert {field: shown[field] for field in about} == about
    changed = await client.put("/api/v1/deployments/chat/terms", json={"type": "batch"})
    assert (changed.json()["type"], changed.json()["reserved_tokens_per_minute"]) == ("batch", None)
    assert (await client.put("/api/v1/deployments/chat/terms", json={"upgrade": "sometimes"})).status_code == 400


async def test_what_is_deployed_while_a_snapshot_is_compiled_is_started(founded, owner, host):
    """The engine host was asked before, and no later event would ask it again."""
    await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    ask = NewRevision(engine="echo", settings={"seed": 2})
    late = [lambda tx: write_revision(tx, founded, owner, "late", ask)]
    want = host.want

    class Interrupting(type(host)):
        def want(self, launches):
            want(launches)
            if late:
                founded.store.transact_now(late.pop())

    host.__class__ = Interrupting
    await recompile(founded)
    assert set(host.wanted) == set(founded.board.now.launches)
    assert len(host.wanted) == 2
