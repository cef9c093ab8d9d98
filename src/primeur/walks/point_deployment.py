"""Point a deployment at a new revision, in a transaction that a longer story has opened."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from primeur.core.errors import Conflict
from primeur.core.events import RevisionDeployed, RollOutBegan
from primeur.core.ids import make_id
from primeur.core.ports import Entropy
from primeur.core.scaling import Scaling
from primeur.registry import deployment_rows as rows
from primeur.registry.roll_out_rows import RollOut, add_roll_out, is_under_way, list_roll_outs, settle_earlier
from primeur.registry.roll_outs import AT_ONCE, REGISTERED, SETTLED, WHOLE, RollOutPolicy, check_policy
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a deployment shall run: an engine with a version, or a provider's model.

    Attributes:
        settings: of the engine or, for a provider, of this deployment there.
        embeddings_by: name of another deployment that answers embeddings for this one.
        roll_out: how traffic shall move to it; None: all of it at once.
        scaling: see `primeur.registry.deployment_rows.Revision`.
    """

    deployment: str
    engine: str | None = None
    version_id: str | None = None
    provider_id: str | None = None
    upstream_model: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    embeddings_by: str | None = None
    roll_out: RollOutPolicy | None = None
    scaling: Scaling | None = None


def point_deployment(tx: Tx, pointer: Pointer, *, entropy: Entropy, actor: str, now_ms: int) -> rows.Revision:
    """Give the deployment a new revision; the deployment is made if it is new.

    It gets all of the traffic, or what its roll-out gives it: none until it is ready.

    Raises:
        BadRequest: the name cannot be used, or the policy cannot be met.
        Conflict: the name is an alias, or another roll-out is under way.
    """
    check_name(pointer.deployment, "deployment")
    if pointer.deployment in rows.list_aliases(tx):
        raise Conflict(f"{pointer.deployment!r} is an alias; remove it first or choose another name", param="name")
    deployment = rows.keep_deployment(
        tx,
        rows.DeploymentRow(make_id("deployment", now_ms, entropy), pointer.deployment, now_ms, pointer.embeddings_by),
    )
    before = _answering(tx, deployment)
    policy = None if pointer.roll_out is None else check_policy(pointer.roll_out)
    # The first revision has nobody to share with.
    gradual = None if before is None else policy
    settle_earlier(tx, list_roll_outs(tx, deployment.id), now_ms)
    revision = rows.Revision(
        id=make_id("revision", now_ms, entropy),
        deployment_id=deployment.id,
        number=rows.next_number(tx, deployment.id),
        settings=pointer.settings,
        share=0 if gradual else WHOLE,
        created_ms=now_ms,
        version_id=pointer.version_id,
        engine=pointer.engine,
        provider_id=pointer.provider_id,
        upstream_model=pointer.upstream_model,
        scaling=pointer.scaling,
    )
    (rows.add_revision if gradual else rows.point_at)(tx, revision)
    what = RevisionDeployed(deployment.name, revision.id)
    tell(tx, what, actor=actor, at_ms=now_ms, before=before, after=revision)
    if before is not None:
        state, policy = (REGISTERED, gradual) if gradual else (SETTLED, AT_ONCE)
        roll_out_id = make_id("roll_out", now_ms, entropy)
        row = RollOut(roll_out_id, deployment.id, revision.id, before.id, state, 0, policy, now_ms, now_ms)
        add_roll_out(tx, row)
        told = msgspec.json.encode(policy).decode()
        tell(tx, RollOutBegan(deployment.name, row.id, revision.id, before.id, told), actor=actor, at_ms=now_ms)
    return revision


def _answering(tx: Tx, deployment: rows.DeploymentRow) -> rows.Revision | None:
    """The revision with most of the traffic, which a newer one would follow.

    Raises:
        Conflict: a roll-out is under way.
    """
    under_way = is_under_way(tx, deployment.id)
    if under_way is not None:
        words = f"a roll-out of {deployment.name!r} is {under_way.state}; promote it or roll it back first"
        raise Conflict(words, param="deployment")
    known = rows.list_revisions(tx, deployment.id)
    return max(known, key=lambda one: (one.share, one.number), default=None)
