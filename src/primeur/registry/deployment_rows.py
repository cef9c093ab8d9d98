"""Deployments, their immutable revisions, and aliases."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update

from primeur.core.errors import NotFound
from primeur.core.scaling import Scaling
from primeur.store.database import Tx
from primeur.store.schema import aliases, deployments, models, revisions, versions


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A name that clients call.

    Attributes:
        embeddings_by: name of another deployment that answers embeddings for this one.
    """

    id: str
    name: str
    created_ms: int
    embeddings_by: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """What a deployment runs: immutable but for its share of the traffic.

    Either *engine* is named (with a version, unless the engine needs no weights) or *provider_id* and *upstream_model*.

    Attributes:
        number: 1, 2, 3... within the deployment.
        share: parts of the deployment's traffic; 0 is none.
        scaling: how many replicas run; None: exactly one.
    """

    id: str
    deployment_id: str
    number: int
    settings: dict[str, Any]
    share: int
    created_ms: int
    version_id: str | None = None
    engine: str | None = None
    provider_id: str | None = None
    upstream_model: str | None = None
    scaling: Scaling | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """What a revision's engine loads.

    Attributes:
        model, number: the model's name and the version's number.
        path: where the version lies, below the data folder.
        context_tokens: as the registry has it.
    """

    model: str
    number: int
    path: str | None
    context_tokens: int | None = None


def keep_deployment(tx: Tx, row: DeploymentRow) -> DeploymentRow:
    """Give the deployment of this name, made now if it is new, with what answers its embeddings."""
    known = tx.execute(select(deployments).where(deployments.c.name == row.name)).first()
    if known is None:
        values = {name: getattr(row, name) for name in DeploymentRow.__slots__}
        tx.execute(insert(deployments).values(**values))
        return row
    tx.execute(update(deployments).where(deployments.c.id == known.id).values(embeddings_by=row.embeddings_by))
    return DeploymentRow(known.id, known.name, known.created_ms, row.embeddings_by)


def list_deployments(tx: Tx) -> list[DeploymentRow]:
    """Give every deployment by name."""
    rows = tx.execute(select(deployments).order_by(deployments.c.name))
    return [DeploymentRow(row.id, row.name, row.created_ms, row.embeddings_by) for row in rows]


def find_deployment(tx: Tx, name: str) -> DeploymentRow:
    """Give one deployment.

    Raises:
        NotFound: there is none.
    """
    found = [one for one in list_deployments(tx) if name in {one.name, one.id}]
    if not found:
        raise NotFound(f"there is no deployment {name!r}; `primeur deployments list` shows those there are")
    return found[0]


def remove_deployment(tx: Tx, row: DeploymentRow) -> None:
    """Forget a deployment with its revisions and aliases."""
    tx.execute(delete(deployments).where(deployments.c.id == row.id))


def next_number(tx: Tx, deployment_id: str) -> int:
    """Give the number of the deployment's next revision."""
    query = select(func.max(revisions.c.number)).where(revisions.c.deployment_id == deployment_id)
    return (tx.execute(query).scalar_one() or 0) + 1


def point_at(tx: Tx, revision: Revision) -> None:
    """Keep a new revision and give it the traffic of the earlier ones."""
    tx.execute(update(revisions).where(revisions.c.deployment_id == revision.deployment_id).values(share=0))
    add_revision(tx, revision)


def add_revision(tx: Tx, revision: Revision) -> None:
    """Keep a new revision, with the share that it says."""
    values = {name: getattr(revision, name) for name in Revision.__slots__}
    scaling = None if revision.scaling is None else msgspec.json.encode(revision.scaling).decode()
    tx.execute(insert(revisions).values(**values | {"settings": json.dumps(revision.settings), "scaling": scaling}))


def list_revisions(tx: Tx, deployment_id: str | None = None) -> list[Revision]:
    """Give the revisions of one deployment, or of all, newest first."""
    query = select(revisions).order_by(revisions.c.deployment_id, revisions.c.number.desc())
    if deployment_id is not None:
        query = query.where(revisions.c.deployment_id == deployment_id)
    return [_revision(row) for row in tx.execute(query)]


def list_weights(tx: Tx) -> dict[str, Weights]:
    """Give what each version's engine loads, by version id."""
    c = versions.c
    columns = (c.id, models.c.name, c.number, c.path, c.context_tokens)
    joined = select(*columns).join(models, models.c.id == c.model_id)
    return {row.id: Weights(row.name, row.number, row.path, row.context_tokens) for row in tx.execute(joined)}


def set_alias(tx: Tx, name: str, deployment_id: str) -> None:
    """Let a second name lead to a deployment, wherever it led before."""
    if tx.execute(update(aliases).where(aliases.c.name == name).values(deployment_id=deployment_id)).rowcount == 0:
        tx.execute(insert(aliases).values(name=name, deployment_id=deployment_id))


def remove_alias(tx: Tx, name: str) -> None:
    """Free a second name.

    Raises:
        NotFound: there is none.
    """
    if tx.execute(delete(aliases).where(aliases.c.name == name)).rowcount == 0:
        raise NotFound(f"there is no alias {name!r}")


def list_aliases(tx: Tx) -> dict[str, str]:
    """Give the deployment's id for each alias."""
    return {row.name: row.deployment_id for row in tx.execute(select(aliases).order_by(aliases.c.name))}


def _revision(row: Row[Any]) -> Revision:
    values = {name: getattr(row, name) for name in Revision.__slots__}
    scaling = None if row.scaling is None else msgspec.json.decode(row.scaling, type=Scaling)
    return Revision(**values | {"settings": json.loads(row.settings), "scaling": scaling})
