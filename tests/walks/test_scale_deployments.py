"""Replicas follow the load: decided, written down with reason and evidence, and told; sleep, and who waits."""

import asyncio
from dataclasses import replace

import msgspec
import pytest
from tests.walks.conftest import ENDPOINT

from primeur.core.chat import Ask, Route
from primeur.core.errors import BadRequest, NotReady, OverLimit, StillWaking
from primeur.core.ports import EngineState, Launch
from primeur.core.scaling import Load, Scaling
from primeur.core.wire import ChatRequest
from primeur.gateway.load_metrics import LoadCollector
from primeur.registry import scaling_rows
from primeur.registry.memory import Need
from primeur.registry.scaling import process_name
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.follow_changes import recompile
from primeur.walks.scale_deployments import tick
from primeur.walks.set_scaling import set_scaling
from primeur.walks.wait_awake import wait_awake

QUICK = Scaling(min=0, max=3, target=2, over_s=1, up_cooldown_s=0, down_cooldown_s=1, idle_after_s=5, queue_wait_s=1)


class Engineer:
    """Starts what is wanted at once, as a host with nothing to load would."""

    def __init__(self, house, host):
        self.house, self.host, self.watched = house, host, {}

    async def look(self, in_flight=0, after_ms=250):
        """Let time pass with so many requests under way, and let the scaler look."""
        self.house.clock.ms += after_ms
        (one,) = self.house.board.now.scaled
        each = {number: in_flight // max(1, one.replicas) for number in range(1, one.replicas + 1)}
        self.house.board.elsewhere = {"w1": {one.revision_id: Load(in_flight, 0, each)}} if in_flight else {}
        await tick(self.house, self.watched)
        for name in self.host.wanted:
            self.host.ready(name)
        await recompile(self.house)
        return self.house.board.now.scaled[0].replicas


@pytest.fixture
async def engineer(founded, host, owner):
    """A deployment ``chat`` that may have three replicas, and sleep."""
    await deploy(founded, owner, "chat", NewRevision(engine="echo", scaling=QUICK))
    await recompile(founded)
    made = Engineer(founded, host)
    await made.look()
    return made


def decisions(house):
    """What was decided about ``chat``, newest first."""
    (one,) = house.board.now.scaled
    return house.store.read(lambda tx: scaling_rows.list_decisions(tx, one.deployment_id, 100))


async def test_replicas_follow_the_load_up_and_down(engineer):
    house = engineer.house
    assert len(house.board.now.deployments["chat"].targets) == 1
    assert await engineer.look(6, after_ms=1500) == 3
    await engineer.look(6, after_ms=1500)
    targets = house.board.now.deployments["chat"].targets
    assert [target.replica for target in targets] == [1, 2, 3]
    assert set(house.host.wanted) == {process_name(targets[0].revision_id, number) for number in (1, 2, 3)}
    counts = [await engineer.look(2) for _ in range(14)]
    assert counts[-1] == 1
    told = [(one.before, one.replicas, one.reason) for one in reversed(await decisions(house))]
    assert [after for _, after, _ in told[:-1]] == [before for before, _, _ in told[1:]]
    assert {reason for _, _, reason in told[1:]} == {"load"}


async def test_a_decision_is_told_with_its_evidence(engineer):
    await engineer.look(6, after_ms=1500)
    newest = (await decisions(engineer.house))[0]
    assert newest.newest
    assert "6 requests in flight" in newest.detail
    assert msgspec.json.decode(newest.evidence)["load"] == 6


async def test_who_is_not_asked_sleeps_and_a_request_wakes_it(engineer):
    house = engineer.house
    for _ in range(25):
        await engineer.look()
    deployment = house.board.now.deployments["chat"]
    assert (deployment.targets, deployment.phase, deployment.coming) == ((), "asleep", False)
    assert house.host.wanted == {}
    waiting = asyncio.create_task(wait_awake(house, ask_for("chat"), NotReady("it sleeps")))
    await asyncio.sleep(0)
    assert await engineer.look() == 1
    await recompile(house)
    async with asyncio.timeout(5):
        await waiting
    assert (await decisions(house))[0].reason == "asked"
    assert not +house.board.waiting


async def test_no_more_wait_than_may_and_not_for_longer(engineer):
    house, wakes = engineer.house, None
    for _ in range(25):
        await engineer.look()
    wakes = house.board.now.deployments["chat"].wakes
    asleep = NotReady("it sleeps")
    waiting = [asyncio.create_task(wait_awake(house, ask_for("chat"), asleep)) for _ in range(wakes.most)]
    await asyncio.sleep(0)
    assert house.board.waiting[wakes.revision_id] == wakes.most
    with pytest.raises(OverLimit) as full:
        await wait_awake(house, ask_for("chat"), asleep)
    assert full.value.code == "queue_full"
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not +house.board.waiting
    with pytest.raises(StillWaking) as late:
        await wait_awake(house, ask_for("chat"), NotReady("it sleeps"))
    assert late.value.retry_after_ms == 1000


async def test_nobody_waits_for_what_never_sleeps(founded, owner):
    await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    await recompile(founded)
    with pytest.raises(NotReady, match="as it is"):
        await wait_awake(founded, ask_for("chat"), NotReady("as it is"))


async def test_memory_that_was_measured_holds_replicas_back(engineer):
    house = engineer.house
    (one,) = house.board.now.scaled
    house.board.turn(replace(house.board.now, scaled=(replace(one, need=Need(house.place.memory_bytes // 2)),)))
    house.board.elsewhere = {"w1": {one.revision_id: Load(6, 0, {1: 6})}}
    house.clock.ms += 2000
    await tick(house, engineer.watched)
    newest = (await decisions(house))[0]
    assert (newest.replicas, newest.wanted, newest.reason) == (2, 3, "memory")


async def test_who_sleeps_wakes_when_there_is_room(engineer):
    """Until then it says so, and those who wait are not let down without a reason."""
    house = engineer.house
    for _ in range(25):
        await engineer.look()
    (one,) = house.board.now.scaled
    house.board.waiting[one.revision_id] = 2
    house.board.turn(replace(house.board.now, scaled=(replace(one, need=Need(house.place.memory_bytes + 1)),)))
    await tick(house, engineer.watched)
    newest = (await decisions(house))[0]
    assert (newest.replicas, newest.wanted, newest.reason) == (0, 1, "memory")
    await recompile(house)
    assert "memory has room for 0 of 1" in house.board.now.deployments["chat"].pending
    assert await engineer.look() == 1


async def test_scaling_otherwise_is_a_new_revision_that_runs_the_same(engineer, owner):
    house = engineer.house
    await engineer.look(6, after_ms=1500)
    wider = msgspec.structs.replace(QUICK, max=5)
    made = await set_scaling(house, owner, "chat", wider)
    assert (made.number, made.scaling, made.engine) == (2, wider, "echo")
    assert (await set_scaling(house, owner, "chat", wider)).id == made.id
    await recompile(house)
    assert [one.replicas for one in house.board.now.scaled if one.revision_id == made.id] == [3]


async def test_an_engine_that_tells_no_slots_is_not_scaled_by_its_queue(founded, owner):
    with pytest.raises(BadRequest) as refused:
        await deploy(founded, owner, "chat", NewRevision(engine="echo", scaling=Scaling(max=2, metric="queue")))
    assert refused.value.param == "scaling.metric"


async def test_an_engine_that_keeps_replicas_itself_is_told_and_has_one_process(founded, owner, host):
    engine = founded.engines["echo"]
    plan = engine.plan
    engine.plan = lambda order: replace_launch(plan(order))
    await deploy(founded, owner, "chat", NewRevision(engine="echo", scaling=QUICK))
    await recompile(founded)
    assert len(host.wanted) == 1
    assert engine.planned[-1].scaling == QUICK
    assert founded.board.now.scaled == ()


def replace_launch(launch: Launch) -> Launch:
    return replace(launch, replicates=True)


def ask_for(model: str) -> Ask:
    body = b'{"model": "%b", "messages": []}' % model.encode()
    fields = ChatRequest(model=model, messages=[])
    return Ask("req_1", Route.CHAT, body, fields, arrived_ms=0, arrived_us=0)


async def test_a_replica_that_broke_is_left_out_and_nobody_is_taken_away(engineer):
    house = engineer.house
    await engineer.look(6, after_ms=1500)
    await engineer.look(6, after_ms=1500)
    (one,) = house.board.now.scaled
    house.host.states[process_name(one.revision_id, 2)] = EngineState("waiting", "restarts in 1 s", restarts=1)
    await recompile(house)
    assert [target.replica for target in house.board.now.deployments["chat"].targets] == [1, 3]
    assert house.board.now.deployments["chat"].targets[0].endpoint == ENDPOINT
    house.clock.ms += 20_000
    house.board.elsewhere = {"w1": {one.revision_id: Load(1, 0, {1: 1})}}
    await tick(house, engineer.watched)
    assert house.board.now.scaled[0].replicas == 3


async def test_metrics_tell_queues_and_replicas(engineer):
    house = engineer.house
    await engineer.look(6, after_ms=1500)
    await engineer.look(6, after_ms=1500)
    house.relay.under_way[ENDPOINT] = 2
    told = {sample.name: sample.value for family in LoadCollector(house).collect() for sample in family.samples}
    # Two at each of three replicas, which have one endpoint here, and six in another process.
    assert told == {
        "primeur_deployment_in_flight": 12,
        "primeur_deployment_queue": 0,
        "primeur_deployment_replicas_wanted": 3,
        "primeur_deployment_replicas_ready": 3,
        "primeur_deployment_asleep": 0,
    }


async def test_a_queue_is_what_is_beyond_the_slots_that_all_processes_share(engineer, client):
    """Three processes have two each at a replica of four slots: two wait, though no process sees more than two."""
    house = engineer.house
    await engineer.look(0)
    (one,) = house.board.now.scaled
    house.board.elsewhere = {name: {one.revision_id: Load(2, 1, {1: 2})} for name in ("w1", "w2", "w3")}
    order, launch = house.board.now.plans[one.revision_id]
    plans, scaled = {one.revision_id: (order, replace(launch, slots=4))}, (replace(one, slots=4),)
    way = house.board.now.deployments["chat"]
    deployments = {"chat": replace(way, targets=tuple(replace(target, slots=4) for target in way.targets))}
    house.board.now = replace(house.board.now, plans=plans, scaled=scaled, deployments=deployments)
    told = {
        sample.name.removeprefix("primeur_deployment_"): sample.value
        for family in LoadCollector(house).collect()
        for sample in family.samples
    }
    assert (told["in_flight"], told["queue"]) == (6, 5)
    shown = (await client.get("/api/v1/deployments/chat")).json()
    assert (shown["in_flight"], shown["queue"]) == (6, 5)
    assert (shown["revisions"][0]["in_flight"], shown["revisions"][0]["queue"]) == (6, 5)
    house.board.elsewhere = {"w1": {one.revision_id: Load(2, 1, {1: 2})}}
    assert (await client.get("/api/v1/deployments/chat")).json()["queue"] == 1


async def test_one_that_sleeps_says_what_it_can_be_asked_for(engineer, client):
    for _ in range(25):
        await engineer.look()
    shown = (await client.get("/api/v1/deployments/chat")).json()
    assert (shown["state"], shown["routes"], shown["context_tokens"]) == ("asleep", ["chat"], 512)


async def test_the_doors_tell_scaling_decisions_and_traffic(engineer, client):
    await engineer.look(6, after_ms=1500)
    decided = (await client.get("/api/v1/deployments/chat/scaling", params={"limit": 1})).json()["data"]
    assert [(one["before"], one["replicas"], one["reason"], one["in_force"]) for one in decided] == [
        (1, 3, "load", True)
    ]
    shown = (await client.get("/api/v1/deployments/chat")).json()["revisions"][0]
    assert (shown["replicas"]["wanted"], shown["scaling"]["max"]) == (3, 3)
    traffic = await client.get("/api/v1/deployments/chat/traffic")
    assert (traffic.status_code, traffic.json()["by"], traffic.json()["data"]) == (200, "revision", [])
    metrics = await client.get("/api/v1/deployments/chat/metrics", params={"hours": 2})
    assert (metrics.json()["to_ms"] - metrics.json()["from_ms"], metrics.json()["data"]) == (7_200_000, [])
    long = await client.get("/api/v1/deployments/chat/metrics", params={"from_ms": 0})
    assert (long.status_code, long.json()["error"]["param"]) == (400, "from_ms")
    refused = await client.put("/api/v1/deployments/chat/scaling", json={"min": 3, "max": 2})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "scaling.min")
