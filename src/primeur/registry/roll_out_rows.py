"""Roll-outs as rows: moved by compare-and-set, together with the shares of the traffic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, func, insert, select, update

from primeur.core.errors import Conflict, NotFound
from primeur.registry.roll_outs import KEEPS_BASELINE, ROLL_OUT, UNDER_WAY, WHOLE, RollOutPolicy, share_in
from primeur.store.database import Tx
from primeur.store.schema import revisions, roll_outs

_ranked = select(
    roll_outs,
    func.row_number()
    .over(partition_by=roll_outs.c.deployment_id, order_by=(roll_outs.c.created_ms.desc(), roll_outs.c.id.desc()))
    .label("place"),
).subquery()
# Asked twice a second: making the statement would cost more than answering it.
_NEWEST = select(_ranked).where(_ranked.c.place == 1)


@dataclass(frozen=True, slots=True)
class RollOut:
    """One revision on its way to all of the traffic, or back.

    Attributes:
        baseline_id: the revision that traffic returns to.
        state: of `primeur.registry.roll_outs.ROLL_OUT`.
        step: index into the policy's steps.
        since_ms: when state or step last changed, UTC milliseconds.
        evidence: what the judge said last, as JSON.
        scores: an evaluation of both revisions, as JSON.
    """

    id: str
    deployment_id: str
    revision_id: str
    baseline_id: str
    state: str
    step: int
    policy: RollOutPolicy
    since_ms: int
    created_ms: int
    evidence: str | None = None
    scores: str | None = None

    @property
    def share(self) -> int:
        """Percent of the traffic that the new revision has."""
        return share_in(self.state, self.step, self.policy)


def kept_warm(row: RollOut | None) -> frozenset[str]:
    """The revisions that a roll-out wants up, whatever their share."""
    if row is None or row.state not in KEEPS_BASELINE:
        return frozenset()
    return frozenset({row.revision_id, row.baseline_id})


def add_roll_out(tx: Tx, row: RollOut) -> None:
    """Keep a new roll-out."""
    values = {name: getattr(row, name) for name in RollOut.__slots__}
    tx.execute(insert(roll_outs).values(**values | {"policy": msgspec.json.encode(row.policy).decode()}))


def list_roll_outs(tx: Tx, deployment_id: str | None = None) -> list[RollOut]:
    """Give roll-outs of one deployment, or of all, newest first."""
    query = select(roll_outs).order_by(roll_outs.c.created_ms.desc(), roll_outs.c.id.desc())
    if deployment_id is not None:
        query = query.where(roll_outs.c.deployment_id == deployment_id)
    return [_roll_out(row) for row in tx.execute(query)]


def newest_roll_outs(tx: Tx) -> dict[str, RollOut]:
    """Give each deployment's newest roll-out, by the deployment's id."""
    return {one.deployment_id: one for one in map(_roll_out, tx.execute(_NEWEST))}


def find_roll_out(tx: Tx, deployment_id: str, name: str) -> RollOut:
    """Give a deployment's newest roll-out.

    Raises:
        NotFound: it never had one; *name* is told.
    """
    found = list_roll_outs(tx, deployment_id)
    if not found:
        raise NotFound(f"the deployment {name!r} has had no roll-out: it has one revision, which answers everybody")
    return found[0]


def is_under_way(tx: Tx, deployment_id: str) -> RollOut | None:
    """Give the roll-out that moves the deployment's traffic now, if one does."""
    found = list_roll_outs(tx, deployment_id)
    return found[0] if found and found[0].state in UNDER_WAY else None


def move_roll_out(tx: Tx, row: RollOut, move: str, now_ms: int, *, evidence: str | None = None) -> RollOut:
    """Take one step, and give the traffic to whom the new state says: one compare-and-set, one transaction.

    Raises:
        Conflict: the move is not possible, or somebody else has moved it meanwhile.
    """
    state = ROLL_OUT.after(row.state, move)
    step = row.step + 1 if move == "widen" else row.step
    fresh = {"state": state, "step": step, "since_ms": now_ms}
    if evidence is not None:
        fresh["evidence"] = evidence
    expected = roll_outs.c.id == row.id, roll_outs.c.state == row.state, roll_outs.c.step == row.step
    if tx.execute(update(roll_outs).where(*expected).values(**fresh)).rowcount != 1:
        raise Conflict("the roll-out has moved meanwhile; look at it again")
    after = _roll_out(tx.execute(select(roll_outs).where(roll_outs.c.id == row.id)).one())
    set_shares(tx, row.deployment_id, {after.revision_id: after.share, after.baseline_id: WHOLE - after.share})
    return after


def set_shares(tx: Tx, deployment_id: str, shares: Mapping[str, int]) -> None:
    """Divide a deployment's traffic, by revision id; those not named get none."""
    tx.execute(update(revisions).where(revisions.c.deployment_id == deployment_id).values(share=0))
    for revision_id, share in shares.items():
        tx.execute(update(revisions).where(revisions.c.id == revision_id).values(share=share))


def keep_evidence(tx: Tx, row: RollOut, evidence: str) -> None:
    """Keep what the judge said, unless the roll-out has moved."""
    here = roll_outs.c.id == row.id, roll_outs.c.state == row.state, roll_outs.c.step == row.step
    tx.execute(update(roll_outs).where(*here).values(evidence=evidence))


def keep_scores(tx: Tx, row: RollOut, scores: str) -> None:
    """Keep an evaluation for the judge."""
    tx.execute(update(roll_outs).where(roll_outs.c.id == row.id).values(scores=scores))


def settle_earlier(tx: Tx, earlier: Iterable[RollOut], now_ms: int) -> None:
    """End the windows of roll-outs that a newer revision follows."""
    for one in earlier:
        if (one.state, "settle") in ROLL_OUT.moves:
            here = roll_outs.c.id == one.id
            tx.execute(update(roll_outs).where(here).values(state=ROLL_OUT.after(one.state, "settle"), since_ms=now_ms))


def _roll_out(row: Row[Any]) -> RollOut:
    values = {name: getattr(row, name) for name in RollOut.__slots__}
    return RollOut(**values | {"policy": msgspec.json.decode(row.policy, type=RollOutPolicy)})
