"""Move a roll-out by hand: promote, pause, resume, roll back; divide traffic; hand in an evaluation."""

from typing import Annotated, Literal

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict
from primeur.core.events import RollOutMoved, ScoresReported, TrafficMoved
from primeur.registry import deployment_rows, roll_out_rows
from primeur.registry.roll_out_rows import RollOut
from primeur.registry.roll_outs import UNDER_WAY, check_shares
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of
from primeur.walks.deploy import check_plan
from primeur.walks.house import House

Move = Literal["promote", "pause", "resume", "roll_back"]
Score = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
MOVES: tuple[Move, ...] = ("promote", "pause", "resume", "roll_back")


class HandMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step somebody takes, and why."""

    move: Move
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Shares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Percent of the traffic by the revision's number."""

    shares: dict[str, int]


class Scores(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An evaluation of both revisions on the same items, higher is better."""

    canary: Annotated[list[Score], msgspec.Meta(min_length=20, max_length=10_000)]
    baseline: Annotated[list[Score], msgspec.Meta(min_length=20, max_length=10_000)]


async def move_by_hand(house: House, caller: Caller, name: str, ask: HandMove) -> RollOut:
    """Take one step of the deployment's newest roll-out.

    Raises:
        NotFound: no deployment, or it never had a roll-out.
        Conflict: the step is not possible now, or somebody else was quicker.
    """

    def work(tx: Tx) -> RollOut:
        row = real_deployment(tx, name)
        found = roll_out_rows.find_roll_out(tx, row.id, row.name)
        return write_move(tx, house, row.name, found, ask.move, actor_of(caller), ask.reason or "by hand")

    return await house.store.transact(work)


def write_move(  # noqa: PLR0913, PLR0917 (what moved, who moved it, and on which evidence)
    tx: Tx, house: House, name: str, row: RollOut, move: str, actor: str, reason: str, evidence: str | None = None
) -> RollOut:
    """Take one step in a transaction that is open, with its event; raises as `move_roll_out`."""
    now_ms = house.clock.now_ms()
    after = roll_out_rows.move_roll_out(tx, row, move, now_ms, evidence=evidence)
    seen = evidence or row.evidence or ""
    what = RollOutMoved(name, row.id, move, after.state, after.share, reason, seen)
    tell(tx, what, actor=actor, at_ms=now_ms)
    return after


async def divide_traffic(house: House, caller: Caller, name: str, ask: Shares) -> None:
    """Give revisions the shares that somebody chose.

    Raises:
        BadRequest: shares that do not add up to 100, or a revision that does not exist.
        Conflict: a roll-out moves the traffic at present, or a revision that would start does not fit into memory.
        SetupError: the engine of such a revision does not accept its weights or settings any more.
    """

    def work(tx: Tx) -> None:
        row = real_deployment(tx, name)
        numbers = {str(one.number): one for one in deployment_rows.list_revisions(tx, row.id)}
        unknown = sorted(set(ask.shares) - set(numbers))
        if unknown:
            known = ", ".join(numbers)
            raise BadRequest(f"{row.name!r} has no revision {unknown[0]}; it has {known}", param="shares")
        check_shares({int(number): share for number, share in ask.shares.items()})
        under_way = roll_out_rows.is_under_way(tx, row.id)
        if under_way is not None:
            raise Conflict(f"a roll-out of {row.name!r} is {under_way.state}; promote it or roll it back first")
        for number, share in ask.shares.items():
            revision = numbers[number]
            if share and revision.engine is not None and revision.id not in house.board.now.launches:
                check_plan(tx, house, revision, row.name)
        roll_out_rows.set_shares(tx, row.id, {numbers[one].id: share for one, share in ask.shares.items()})
        tell(tx, TrafficMoved(row.name, dict(ask.shares)), actor=actor_of(caller), at_ms=house.clock.now_ms())

    await house.store.transact(work)


async def report_scores(house: House, caller: Caller, name: str, ask: Scores) -> RollOut:
    """Hand the judge an evaluation.

    Raises:
        BadRequest: the scores are not of the same items.
        Conflict: no roll-out is under way, or it has its evaluation already.
    """
    if len(ask.canary) != len(ask.baseline):
        raise BadRequest(
            f"{len(ask.canary)} and {len(ask.baseline)} scores are not of the same items", param="baseline"
        )

    def work(tx: Tx) -> RollOut:
        row = real_deployment(tx, name)
        found = roll_out_rows.find_roll_out(tx, row.id, row.name)
        if found.state not in UNDER_WAY or found.scores is not None:
            why = "has its evaluation" if found.scores is not None else f"is {found.state}"
            raise Conflict(f"the roll-out of {row.name!r} {why}; scores are taken once, while it is under way")
        roll_out_rows.keep_scores(tx, found, msgspec.json.encode(ask).decode())
        what = ScoresReported(row.name, found.id, len(ask.canary))
        tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms())
        return found

    return await house.store.transact(work)
