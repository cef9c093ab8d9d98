"""Data policies, as the database keeps them."""

import json
from typing import Any

from sqlalchemy import Row, delete, insert, select

from primeur.governance.data_rules import DataPolicy
from primeur.store.database import Tx
from primeur.store.schema import data_policies as table


def list_policies(tx: Tx) -> dict[str, DataPolicy]:
    """Give every policy that was set, by project."""
    return {row.project_id: _policy(row) for row in tx.execute(select(table))}


def find_policy(tx: Tx, project_id: str) -> DataPolicy:
    """Give a project's policy, or the default."""
    row = tx.execute(select(table).where(table.c.project_id == project_id)).first()
    return DataPolicy(project_id) if row is None else _policy(row)


def keep_policy(tx: Tx, policy: DataPolicy) -> None:
    """Set a project's policy."""
    tx.execute(delete(table).where(table.c.project_id == policy.project_id))
    zones = None if policy.zones is None else json.dumps(policy.zones)
    values = {"masks": json.dumps(policy.masks), "zones": zones, "trains": policy.trains}
    tx.execute(insert(table).values(project_id=policy.project_id, keep_days=policy.keep_days, **values))


def _policy(row: Row[Any]) -> DataPolicy:
    zones = None if row.zones is None else tuple(json.loads(row.zones))
    return DataPolicy(row.project_id, row.keep_days, tuple(json.loads(row.masks)), zones, row.trains)
