"""Copies of requests: bounded, thrown away, judged, paid for by nobody."""

import asyncio
from dataclasses import replace

import msgspec
import pytest

from primeur.core.chat import Ask, Route
from primeur.core.errors import BadRequest, Conflict, TargetBusy, TargetFailed
from primeur.core.scaling import Scaling
from primeur.core.usage import Usage, UsageEvent
from primeur.core.wire import ChatRequest
from primeur.metering.rows import keep_usage
from primeur.registry import roll_out_rows, shadow_rows
from primeur.registry.roll_outs import RollOutPolicy
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.judge_roll_outs import tick
from primeur.walks.mirror import IN_FLIGHT_MOST
from primeur.walks.roll_out import HandMove, move_by_hand
from primeur.walks.set_scaling import set_scaling

ANSWER = b'{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":5,"completion_tokens":2}}'
POLICY = RollOutPolicy(steps=(10, 50), step_requests=20, step_s=0, shadow=100, watch=("errors",))


class PaperReply:
    """A whole answer, or the fault in place of it."""

    status, headers = 200, {}

    async def begin(self) -> None:
        """It is there."""

    async def read(self, _limit: int) -> bytes:
        return ANSWER

    def close(self) -> None:
        """Nothing is open."""


class PaperRelay:
    """Answers once the gate is open, or raises what it was told to."""

    def __init__(self) -> None:
        self.gate, self.fault, self.sent = asyncio.Event(), None, 0
        self.gate.set()

    async def send(self, *_: object) -> PaperReply:
        self.sent += 1
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return PaperReply()


@pytest.fixture
async def trial(founded, owner, host):
    """A house whose second revision is being mirrored to."""
    house = replace(founded, relay=PaperRelay())
    old = await deploy(house, owner, "chat", NewRevision(engine="echo"))
    host.ready(old.id)
    new = await deploy(house, owner, "chat", NewRevision(engine="echo", roll_out=POLICY))
    host.ready(new.id)
    for _ in range(2):
        await tick(house, {})
    return house, old, new


async def mirror_of(house):
    deployment = (await compile_snapshot(house)).deployments["chat"]
    assert deployment.mirror is not None
    return deployment.mirror


def ask(house, number) -> Ask:
    body = b'{"model":"chat","messages":[{"role":"user","content":"hello"}]}'
    clock = house.clock
    fields = msgspec.json.decode(body, type=ChatRequest)
    return Ask(f"req_{number}", Route.CHAT, body, fields, clock.now_ms(), clock.monotonic_us())


async def settled(house):
    while house.board.mirrors.under_way:
        await asyncio.gather(*house.board.mirrors.under_way)


async def test_good_copies_open_the_first_share(trial):
    """Kept apart, seen by the judge; the old revision alone answers until then."""
    house, old, new = trial
    targets = (await compile_snapshot(house)).deployments["chat"].targets
    assert [one.revision_id for one in targets] == [old.id]
    mirror = await mirror_of(house)
    for number in range(25):
        mirror.copy(ask(house, number))
        await settled(house)
    house.clock.ms += 1000
    await tick(house, {})
    (row,) = await house.store.read(roll_out_rows.list_roll_outs)
    assert (row.state, row.share) == ("canary", 10)
    assert await house.store.read(lambda tx: shadow_rows.shadow_totals(tx, new.id)) == shadow_rows.ShadowTotals(
        25, 0, 125, 50
    )
    assert house.journal.events == []


async def test_failing_copies_take_it_back_before_anybody_was_answered(trial):
    """The judge compares with what the old revision answered meanwhile."""
    house, old, _ = trial
    answered = [
        UsageEvent(
            id=f"req_old_{number}", at_ms=house.clock.now_ms(), route="chat", outcome="completed", status=200,
            revision_id=old.id, deployment="chat", usage=Usage(5, output_tokens=2), duration_us=1000,
        )
        for number in range(200)
    ]  # fmt: skip
    await house.store.transact(lambda tx: keep_usage(tx, answered))
    house.relay.fault = TargetFailed("broken")
    mirror = await mirror_of(house)
    for number in range(40):
        mirror.copy(ask(house, number))
        await settled(house)
    house.clock.ms += 1000
    await tick(house, {})
    (row,) = await house.store.read(roll_out_rows.list_roll_outs)
    assert row.state == "rolled_back"


async def test_no_more_than_a_few_are_under_way(trial):
    """The others are dropped and counted; a busy target is left alone; a refused request says nothing."""
    house, _, _ = trial
    mirror, mirrors = await mirror_of(house), house.board.mirrors
    house.relay.gate.clear()
    for number in range(IN_FLIGHT_MOST + 5):
        mirror.copy(ask(house, number))
    assert (len(mirrors.under_way), mirrors.dropped) == (IN_FLIGHT_MOST, 5)
    house.relay.gate.set()
    await settled(house)
    assert len(mirrors.seen) == IN_FLIGHT_MOST
    for fault in (BadRequest("no such parameter"), TargetBusy("later", retry_after_ms=5000)):
        house.relay.fault = fault
        mirror.copy(ask(house, f"{fault}"))
        await settled(house)
    sent = house.relay.sent
    mirror.copy(ask(house, "again"))
    assert (house.relay.sent, mirrors.dropped, len(mirrors.seen)) == (sent, 8, IN_FLIGHT_MOST)


async def test_copying_is_paused_and_resumed_by_hand(trial, owner):
    """Meanwhile nothing is copied and nothing judged, and the old revision alone answers."""
    house, old, _ = trial
    assert (await move_by_hand(house, owner, "chat", HandMove(move="pause"))).state == "shadow_paused"
    paused = (await compile_snapshot(house)).deployments["chat"]
    assert (paused.mirror, [one.revision_id for one in paused.targets]) == (None, [old.id])
    await tick(house, {})
    assert (await move_by_hand(house, owner, "chat", HandMove(move="resume"))).state == "shadow"
    assert await mirror_of(house)


async def test_scaling_waits_for_the_end_of_a_roll_out(trial, owner):
    """And says what ends it."""
    house, *_ = trial
    words = "a roll-out of it is shadow: two cannot be under way; `primeur deployments promote chat` or `roll-back"
    with pytest.raises(Conflict, match=words):
        await set_scaling(house, owner, "chat", Scaling(max=2))
    await move_by_hand(house, owner, "chat", HandMove(move="roll_back"))
    assert (await set_scaling(house, owner, "chat", Scaling(max=2))).scaling == Scaling(max=2)
