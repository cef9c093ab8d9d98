"""A roll-out from its first share to its end, and back."""

import pytest

from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.core.usage import Usage, UsageEvent
from primeur.metering.rows import keep_usage
from primeur.registry import deployment_rows, roll_out_rows
from primeur.registry.observation_rows import Fault
from primeur.registry.roll_outs import RollOutPolicy
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.judge_roll_outs import tick
from primeur.walks.roll_out import HandMove, Scores, Shares, divide_traffic, move_by_hand, report_scores
from primeur.walks.run_engines import want_engines

POLICY = RollOutPolicy(steps=(10, 50), step_requests=20, step_s=1, rollback_window_s=60)


@pytest.fixture
async def two(founded, owner, host):
    """A deployment whose second revision waits for its share."""
    old = await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    host.ready(old.id)
    new = await deploy(founded, owner, "chat", NewRevision(engine="echo", roll_out=POLICY))
    return old, new


async def shares(house):
    return {one.number: one.share for one in await house.store.read(deployment_rows.list_revisions)}


async def state(house):
    (row,) = await house.store.read(roll_out_rows.list_roll_outs)
    return row.state


async def answer(house, revision_id, count, outcome="completed"):
    """Let requests end now."""
    house.clock.ms += 1000
    now_ms = house.clock.now_ms()
    events = [
        UsageEvent(
            id=f"req_{revision_id}_{now_ms}_{outcome}_{one}", at_ms=now_ms - 300, route="chat",
            outcome=outcome, status=200, revision_id=revision_id, deployment="chat", usage=Usage(5, output_tokens=10),
            first_token_us=200_000 + one, duration_us=250_000,
        )
        for one in range(count)
    ]  # fmt: skip
    await house.store.transact(lambda tx: keep_usage(tx, events))
    house.clock.ms += 2000


async def test_a_new_revision_runs_and_is_asked_by_nobody(founded, two, host):
    """Until the roll-out opens its share; nobody is answered by it before."""
    old, new = two
    host.ready(new.id)
    await want_engines(founded)
    assert set(host.wanted) == {old.id, new.id}
    targets = (await compile_snapshot(founded)).deployments["chat"].targets
    assert [target.revision_id for target in targets] == [old.id]


async def test_a_good_revision_takes_over_step_by_step(founded, two, host):
    """Registered, ready, two shares, everything; the one before is warm for its window."""
    old, new = two
    benches = {}
    await tick(founded, benches)
    assert await state(founded) == "registered"
    host.ready(new.id)
    seen = []
    for _ in range(12):
        await answer(founded, old.id, 40)
        if (await shares(founded))[2]:
            await answer(founded, new.id, 25)
        await tick(founded, benches)
        seen.append((await state(founded), (await shares(founded))[2]))
        if seen[-1][0] == "promoted":
            break
    steps = list(dict.fromkeys(seen))
    assert steps == [("ready", 0), ("canary", 10), ("canary", 50), ("promoted", 100)]
    await want_engines(founded)
    assert set(host.wanted) == {old.id, new.id}
    founded.clock.ms += 60_000
    await tick(founded, benches)
    await want_engines(founded)
    assert (await state(founded), set(host.wanted)) == ("settled", {new.id})


async def test_a_bad_revision_goes_back_by_itself(founded, two, host):
    """With the evidence in the event; faults that another revision covered count."""
    old, new = two
    benches = {}
    host.ready(new.id)
    for _ in range(2):
        await tick(founded, benches)
    await answer(founded, old.id, 200)
    await answer(founded, new.id, 10)
    founded.board.faults.extend(Fault(f"req_{one}", new.id, founded.clock.now_ms(), "upstream") for one in range(15))
    founded.clock.ms += 1000
    await tick(founded, benches)
    assert (await state(founded), await shares(founded)) == ("rolled_back", {1: 100, 2: 0})
    (row,) = await founded.store.read(roll_out_rows.list_roll_outs)
    assert "errors" in row.evidence


async def test_a_restart_forgets_nothing(founded, two, host):
    """A judge that begins anew sees what was seen before."""
    old, new = two
    host.ready(new.id)
    for _ in range(2):
        await tick(founded, {})
    await answer(founded, old.id, 200)
    await answer(founded, new.id, 15, "failed")
    await tick(founded, {})
    assert await state(founded) == "rolled_back"


async def test_nothing_is_seen_twice(founded, owner, host):
    """What ended just before the roll-out sets the thresholds, and is not judged as well."""
    old = await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    host.ready(old.id)
    await answer(founded, old.id, 30)
    founded.clock.ms -= 1500
    new = await deploy(founded, owner, "chat", NewRevision(engine="echo", roll_out=POLICY))
    host.ready(new.id)
    benches = {}
    for _ in range(4):
        await tick(founded, benches)
    await answer(founded, old.id, 7)
    for _ in range(3):
        await tick(founded, benches)
    (bench,) = benches.values()
    assert bench.trial.seen == {True: 0, False: 7}


@pytest.mark.usefixtures("two")
async def test_a_revision_that_never_comes_up_goes_back(founded):
    """After its time."""
    founded.clock.ms += POLICY.ready_s * 1000 + 1
    await tick(founded, {})
    assert await state(founded) == "rolled_back"


async def test_it_is_moved_by_hand(founded, owner, two, host):
    """Pause, resume, promote, back; what is not possible is refused."""
    _, new = two
    host.ready(new.id)
    for _ in range(2):
        await tick(founded, {})
    for move, share in (("pause", 10), ("resume", 10), ("promote", 100), ("roll_back", 0)):
        await move_by_hand(founded, owner, "chat", HandMove(move=move))
        assert (await shares(founded))[2] == share
    with pytest.raises(Conflict, match="cannot pause"):
        await move_by_hand(founded, owner, "chat", HandMove(move="pause"))


async def test_two_who_move_it_at_once_are_one(founded, two, host):
    """The second is told to look again."""
    _, new = two
    host.ready(new.id)
    (row,) = await founded.store.read(roll_out_rows.list_roll_outs)
    await founded.store.transact(lambda tx: roll_out_rows.move_roll_out(tx, row, "prepare", 1))
    with pytest.raises(Conflict, match="moved meanwhile"):
        await founded.store.transact(lambda tx: roll_out_rows.move_roll_out(tx, row, "prepare", 2))


async def test_a_policy_is_checked_for_the_first_revision_too(founded, owner):
    """It shares with nobody, and a policy that nobody can meet is no less wrong; nothing is made."""
    with pytest.raises(BadRequest, match="do not grow"):
        await deploy(founded, owner, "new", NewRevision(engine="echo", roll_out=RollOutPolicy(steps=(5, 4))))
    assert await founded.store.read(lambda tx: [one.name for one in deployment_rows.list_deployments(tx)]) == []


async def test_a_policy_that_cannot_be_met_leaves_what_runs(founded, owner):
    """No revision, no roll-out."""
    await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    bad = RollOutPolicy(steps=(50,), step_requests=1)
    with pytest.raises(BadRequest, match="cannot be met"):
        await deploy(founded, owner, "chat", NewRevision(engine="echo", roll_out=bad))
    assert await shares(founded) == {1: 100}


@pytest.mark.usefixtures("two")
async def test_a_second_roll_out_waits_for_the_first(founded, owner):
    """Neither at once nor in steps."""
    with pytest.raises(Conflict, match="promote it or roll it back first"):
        await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    with pytest.raises(Conflict, match="promote it or roll it back first"):
        await divide_traffic(founded, owner, "chat", Shares({"1": 100}))


async def test_what_was_deployed_at_once_can_be_taken_back(founded, owner):
    """Long afterwards too."""
    await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    with pytest.raises(NotFound, match="no roll-out"):
        await move_by_hand(founded, owner, "chat", HandMove(move="roll_back"))
    await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    await move_by_hand(founded, owner, "chat", HandMove(move="roll_back"))
    assert await shares(founded) == {1: 100, 2: 0}


async def test_traffic_is_divided_by_hand(founded, owner):
    """By number; a revision that is not there is named."""
    for _ in range(2):
        await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    await divide_traffic(founded, owner, "chat", Shares({"1": 30, "2": 70}))
    assert await shares(founded) == {1: 30, 2: 70}
    with pytest.raises(BadRequest, match="no revision 9"):
        await divide_traffic(founded, owner, "chat", Shares({"9": 100}))


@pytest.mark.usefixtures("two")
async def test_scores_are_taken_once(founded, owner):
    """And of the same items."""
    with pytest.raises(BadRequest, match="not of the same items"):
        await report_scores(founded, owner, "chat", Scores([0.5] * 20, [0.5] * 21))
    await report_scores(founded, owner, "chat", Scores([0.5] * 20, [0.5] * 20))
    with pytest.raises(Conflict, match="has its evaluation"):
        await report_scores(founded, owner, "chat", Scores([0.5] * 20, [0.5] * 20))


@pytest.mark.usefixtures("two")
async def test_roll_outs_are_seen_and_moved_over_the_api(client):
    """With what can be done next."""
    found = (await client.get("/api/v1/deployments/chat/roll-outs")).json()["data"]
    assert [(one["revision"], one["baseline"], one["state"], one["moves"]) for one in found] == [
        (2, 1, "registered", ["roll_back"])
    ]
    moved = await client.post("/api/v1/deployments/chat/roll-out", json={"move": "roll_back"})
    assert moved.json()["state"] == "rolled_back"
    assert (await client.put("/api/v1/deployments/chat/traffic", json={"shares": {"2": 100}})).status_code == 200
