"""Move roll-outs on: wait until the new revision is ready, open its share, judge it, widen, promote or roll back."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

import msgspec

from primeur.core.errors import Conflict
from primeur.registry import deployment_rows, observation_rows, roll_out_rows, shadow_rows
from primeur.registry.judging import Stage, Trial, Verdict, judge
from primeur.registry.roll_out_rows import RollOut
from primeur.registry.roll_outs import CANARY, PROMOTED, READY, REGISTERED, SHADOW, UNDER_WAY
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.roll_out import Scores, write_move

JUDGE = "judge"
_PERIOD_S = 0.5
# Rows come a little later than their requests end.
_LATE_MS = 3000
_HISTORY_MS = 3_600_000
_ALIVE = UNDER_WAY | {PROMOTED}


@dataclass
class Bench:
    """What one roll-out's judge has seen.

    Attributes:
        read_ms: requests that ended before then have been taken, but for late ones.
        taken: requests of the last seconds, so that none is taken twice.
        answers: of the canary in this step.
    """

    trial: Trial
    read_ms: int
    stage: tuple[str, int]
    taken: dict[str, int] = field(default_factory=dict)
    answers: int = 0
    scored: bool = False


async def judge_roll_outs(house: House, stop: asyncio.Event) -> None:
    """Look at every roll-out twice a second until *stop*."""
    benches: dict[str, Bench] = {}
    while not stop.is_set():
        await tick(house, benches)
        try:
            async with asyncio.timeout(_PERIOD_S):
                await stop.wait()
        except TimeoutError:
            continue


async def tick(house: House, benches: dict[str, Bench]) -> None:
    """Take at most one step of each roll-out; a step that somebody else took first is left alone."""
    faults = [house.board.faults.popleft() for _ in range(len(house.board.faults))]
    if faults:
        await house.store.transact(partial(_keep_faults, faults))
    shadows = [house.board.mirrors.seen.popleft() for _ in range(len(house.board.mirrors.seen))]
    if shadows:
        await house.store.transact(partial(_keep_shadows, shadows))
    found = {one.id: one for one in (await house.store.read(roll_out_rows.newest_roll_outs)).values()}
    for gone in set(benches) - set(found):
        del benches[gone]
    for row in found.values():
        if row.state not in _ALIVE:
            benches.pop(row.id, None)
            continue
        try:
            await _look(house, benches, row)
        except Conflict:
            continue


def _keep_faults(faults: list[observation_rows.Fault], tx: Tx) -> None:
    observation_rows.keep_faults(tx, faults)


def _keep_shadows(shadows: list[shadow_rows.Shadowed], tx: Tx) -> None:
    shadow_rows.keep_shadows(tx, shadows)


async def _look(house: House, benches: dict[str, Bench], row: RollOut) -> None:
    elapsed_s = (house.clock.now_ms() - row.since_ms) / 1000
    if row.state == REGISTERED:
        if await _is_up(house, row):
            await _move(house, row, "prepare", "its engine or provider is ready")
        elif elapsed_s > row.policy.ready_s:
            await _move(house, row, "roll_back", f"it was not ready within {row.policy.ready_s} s")
    elif row.state == READY and row.policy.shadow:
        await _move(house, row, "mirror", f"{row.policy.shadow} percent of the requests are copied to it")
    elif row.state == READY:
        await _move(house, row, "open", f"it gets {row.policy.steps[0]} percent of the traffic")
    elif row.state in {CANARY, SHADOW}:
        await _judge(house, benches, row, elapsed_s)
    elif row.state == PROMOTED and elapsed_s >= row.policy.rollback_window_s:
        await _move(house, row, "settle", "the window for going back is over")


async def _is_up(house: House, row: RollOut) -> bool:
    revisions = await house.store.read(lambda tx: deployment_rows.list_revisions(tx, row.deployment_id))
    (revision,) = (one for one in revisions if one.id == row.revision_id)
    return revision.engine is None or house.host.state(revision.id).phase == "ready"


async def _judge(house: House, benches: dict[str, Bench], row: RollOut, elapsed_s: float) -> None:
    bench = benches.get(row.id)
    if bench is None:
        bench = benches[row.id] = await _open_bench(house, row)
    if bench.stage != (row.state, row.step):
        bench.stage, bench.answers = (row.state, row.step), 0
    await _take(house, bench, row)
    # What follows a shadow is the first share, however many there are.
    step = -1 if row.state == SHADOW else row.step
    verdict = judge(bench.trial, Stage(step, bench.answers, elapsed_s))
    evidence = msgspec.json.encode(verdict).decode()
    if verdict.answer == "wait":
        if evidence != row.evidence:
            await house.store.transact(lambda tx: roll_out_rows.keep_evidence(tx, row, evidence))
        return
    move = "open" if row.state == SHADOW and verdict.answer == "widen" else verdict.answer
    await _move(house, row, move, verdict.reason, evidence)


async def _open_bench(house: House, row: RollOut) -> Bench:
    """Begin where the roll-out began: what was seen before a restart is seen again."""
    began_ms = row.created_ms

    def read(tx: Tx) -> list[observation_rows.Seen]:
        return observation_rows.list_ended(tx, [row.baseline_id], began_ms - _HISTORY_MS, began_ms)

    known = [one.what for one in await house.store.read(read)]
    return Bench(Trial(row.policy, known), began_ms, (row.state, row.step))


async def _take(house: House, bench: Bench, row: RollOut) -> None:
    now_ms = house.clock.now_ms()
    # What ended before the roll-out began has set the thresholds, and is not judged as well.
    from_ms = max(row.created_ms, bench.read_ms - _LATE_MS)

    def read(tx: Tx) -> list[observation_rows.Seen]:
        return observation_rows.list_ended(tx, [row.revision_id, row.baseline_id], from_ms, now_ms)

    for one in await house.store.read(read):
        # A request that failed here may have been answered there: it counts for both.
        seen = one.request_id + one.revision_id
        if seen in bench.taken:
            continue
        bench.taken[seen] = one.ended_ms
        canary = one.revision_id == row.revision_id
        bench.trial.take(one.what, canary=canary)
        bench.answers += canary and one.ended_ms >= row.since_ms
    bench.read_ms = now_ms
    bench.taken = {key: ended for key, ended in bench.taken.items() if ended >= now_ms - _LATE_MS}
    if row.scores is not None and not bench.scored:
        scores = msgspec.json.decode(row.scores, type=Scores)
        bench.trial.take_scores(scores.canary, scores.baseline)
        bench.scored = True


async def _move(house: House, row: RollOut, move: str, reason: str, evidence: str | None = None) -> None:
    def work(tx: Tx) -> None:
        names = {one.id: one.name for one in deployment_rows.list_deployments(tx)}
        write_move(tx, house, names[row.deployment_id], row, move, JUDGE, reason, evidence)

    await house.store.transact(work)


def read_verdict(row: RollOut) -> Verdict | None:
    """What the judge said last."""
    return None if row.evidence is None else msgspec.json.decode(row.evidence, type=Verdict)
