"""The terms of deployments, as the database keeps them."""

from sqlalchemy import delete, insert, select

from primeur.registry.terms import Terms
from primeur.store.database import Tx
from primeur.store.schema import deployment_terms

ORDINARY = Terms()


def list_terms(tx: Tx) -> dict[str, Terms]:
    """Give the terms of deployments that have any, by the deployment's id."""
    rows = tx.execute(select(deployment_terms))
    return {row.deployment_id: Terms(row.kind, row.reserved_tpm, row.upgrade) for row in rows}


def find_terms(tx: Tx, deployment_id: str) -> Terms:
    """Give one deployment's terms."""
    return list_terms(tx).get(deployment_id, ORDINARY)


def keep_terms(tx: Tx, deployment_id: str, terms: Terms) -> None:
    """Keep a deployment's terms instead of those that it had."""
    tx.execute(delete(deployment_terms).where(deployment_terms.c.deployment_id == deployment_id))
    values = {name: getattr(terms, name) for name in Terms.__slots__}
    tx.execute(insert(deployment_terms).values(deployment_id=deployment_id, **values))
