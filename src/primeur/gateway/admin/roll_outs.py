"""Roll-outs: looked at, moved by hand; traffic divided by hand; evaluations handed in."""

from dataclasses import asdict

import msgspec

from primeur.gateway.admin.page import Page, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.registry import deployment_rows, roll_out_rows, shadow_rows
from primeur.registry.judging import Verdict
from primeur.registry.roll_out_rows import RollOut
from primeur.registry.roll_outs import ROLL_OUT, RollOutPolicy
from primeur.store.database import Tx
from primeur.walks.check_deployments import real_deployment
from primeur.walks.judge_roll_outs import read_verdict
from primeur.walks.roll_out import MOVES, HandMove, Scores, Shares, divide_traffic, move_by_hand, report_scores


class ShadowView(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied to a revision before its first share; billed to nobody.

    Attributes:
        dropped: drawn and not copied for lack of room, by the process that is asked, since it started.
    """

    percent: int
    answers: int
    failed: int
    input_tokens: int
    output_tokens: int
    dropped: int


class RollOutView(msgspec.Struct, frozen=True, kw_only=True):
    """One revision on its way to all of the traffic, or back.

    Attributes:
        revision, baseline: numbers; traffic returns to the baseline.
        share: percent of the traffic that the revision has.
        shadow: null where the policy copies nothing.
        verdict: what the judge said last; null before it has judged.
        moves: what can be done by hand now.
    """

    id: str
    deployment: str
    revision: int
    baseline: int
    state: str
    share: int
    step: int
    policy: RollOutPolicy
    shadow: ShadowView | None
    verdict: Verdict | None
    moves: list[str]
    created_ms: int
    since_ms: int


def _shadow(tx: Tx, row: RollOut, dropped: int) -> ShadowView | None:
    if not row.policy.shadow:
        return None
    totals = asdict(shadow_rows.shadow_totals(tx, row.revision_id))
    return ShadowView(percent=row.policy.shadow, dropped=dropped, **totals)


def _show(tx: Tx, name: str, row: RollOut, dropped: int) -> RollOutView:
    numbers = {one.id: one.number for one in deployment_rows.list_revisions(tx, row.deployment_id)}
    return RollOutView(
        id=row.id,
        deployment=name,
        revision=numbers[row.revision_id],
        baseline=numbers[row.baseline_id],
        state=row.state,
        share=row.share,
        step=row.step,
        policy=row.policy,
        shadow=_shadow(tx, row, dropped),
        verdict=read_verdict(row),
        moves=[move for move in MOVES if (row.state, move) in ROLL_OUT.moves],
        created_ms=row.created_ms,
        since_ms=row.since_ms,
    )


async def list_roll_outs(visit: Visit) -> Answer:
    """``GET /api/v1/deployments/{deployment}/roll-outs``: newest first."""
    dropped = visit.house.board.mirrors.dropped

    def read(tx: Tx) -> list[RollOutView]:
        row = real_deployment(tx, visit.params["deployment"])
        return [_show(tx, row.name, one, dropped) for one in roll_out_rows.list_roll_outs(tx, row.id)]

    return json_answer(Page(await visit.house.store.read(read)))


async def post_move(visit: Visit) -> Answer:
    """``POST /api/v1/deployments/{deployment}/roll-out``: take a step by hand."""
    moved = await move_by_hand(visit.house, visit.caller, visit.params["deployment"], visit.read(HandMove))
    return await in_force(visit, await _shown(visit, moved))


async def put_traffic(visit: Visit) -> Answer:
    """``PUT /api/v1/deployments/{deployment}/traffic``: divide traffic by hand."""
    asked = visit.read(Shares)
    await divide_traffic(visit.house, visit.caller, visit.params["deployment"], asked)
    return await in_force(visit, asked)


async def post_scores(visit: Visit) -> Answer:
    """``POST /api/v1/deployments/{deployment}/roll-out/scores``: hand in an evaluation."""
    row = await report_scores(visit.house, visit.caller, visit.params["deployment"], visit.read(Scores))
    return await in_force(visit, await _shown(visit, row))


async def _shown(visit: Visit, row: RollOut) -> RollOutView:
    dropped = visit.house.board.mirrors.dropped

    def read(tx: Tx) -> RollOutView:
        return _show(tx, real_deployment(tx, visit.params["deployment"]).name, row, dropped)

    return await visit.house.store.read(read)


_ONE = "/api/v1/deployments/{deployment}"
DOORS = (
    Door("GET", _ONE + "/roll-outs", list_roll_outs, "List a deployment's roll-outs", "deployments:read", face="admin",
         gives=Page[RollOutView]),
    Door("POST", _ONE + "/roll-out", post_move, "Promote, pause, resume or roll back", "deployments:write",
         tells="RollOutMoved", face="admin", takes=HandMove, gives=RollOutView),
    Door("PUT", _ONE + "/traffic", put_traffic, "Divide a deployment's traffic", "deployments:write",
         tells="TrafficMoved", face="admin", takes=Shares, gives=Shares),
    Door("POST", _ONE + "/roll-out/scores", post_scores, "Hand in an evaluation", "deployments:write",
         tells="ScoresReported", face="admin", takes=Scores, gives=RollOutView),
)  # fmt: skip
