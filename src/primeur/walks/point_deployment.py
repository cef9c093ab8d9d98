"""Point a deployment at a new revision, in a transaction that a longer story has opened."""

from dataclasses import dataclass, field
from typing import Any

from primeur.core.errors import Conflict
from primeur.core.events import RevisionDeployed
from primeur.core.ids import make_id
from primeur.core.ports import Entropy
from primeur.registry import deployment_rows as rows
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a deployment shall run: an engine with a version, or a provider's model.

    Attributes:
        settings: of the engine or, for a provider, of this deployment there.
        embeddings_by: name of another deployment that answers embeddings for this one.
    """

    deployment: str
    engine: str | None = None
    version_id: str | None = None
    provider_id: str | None = None
    upstream_model: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    embeddings_by: str | None = None


def point_deployment(tx: Tx, pointer: Pointer, *, entropy: Entropy, actor: str, now_ms: int) -> rows.Revision:
    """Give the deployment a new revision with all of its traffic; the deployment is made if it is new.

    Raises:
        BadRequest: the name cannot be used.
        Conflict: the name is an alias.
    """
    check_name(pointer.deployment, "deployment")
    if pointer.deployment in rows.list_aliases(tx):
        raise Conflict(f"{pointer.deployment!r} is an alias; remove it first or choose another name", param="name")
    deployment = rows.keep_deployment(
        tx,
        rows.DeploymentRow(make_id("deployment", now_ms, entropy), pointer.deployment, now_ms, pointer.embeddings_by),
    )
    revision = rows.Revision(
        id=make_id("revision", now_ms, entropy),
        deployment_id=deployment.id,
        number=rows.next_number(tx, deployment.id),
        settings=pointer.settings,
        share=1,
        created_ms=now_ms,
        version_id=pointer.version_id,
        engine=pointer.engine,
        provider_id=pointer.provider_id,
        upstream_model=pointer.upstream_model,
    )
    rows.point_at(tx, revision)
    tell(tx, RevisionDeployed(deployment.name, revision.id), actor=actor, at_ms=now_ms)
    return revision
