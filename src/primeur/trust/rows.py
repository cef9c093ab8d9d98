"""Guards, as the database keeps them."""

import msgspec
from sqlalchemy import delete, insert, select

from primeur.store.database import Tx
from primeur.store.schema import guards as table
from primeur.trust.rules import GuardPolicy


def list_guards(tx: Tx) -> dict[str, GuardPolicy]:
    """Give every guard that was set, by deployment id."""
    return {row.deployment_id: _policy(row.policy) for row in tx.execute(select(table))}


def find_guard(tx: Tx, deployment_id: str) -> GuardPolicy:
    """Give a deployment's guard; without rules where none was set."""
    found = tx.execute(select(table.c.policy).where(table.c.deployment_id == deployment_id)).scalar_one_or_none()
    return GuardPolicy() if found is None else _policy(found)


def keep_guard(tx: Tx, deployment_id: str, policy: GuardPolicy, now_ms: int) -> None:
    """Set a deployment's guard."""
    drop_guard(tx, deployment_id)
    text = msgspec.json.encode(policy).decode()
    tx.execute(insert(table).values(deployment_id=deployment_id, policy=text, changed_ms=now_ms))


def drop_guard(tx: Tx, deployment_id: str) -> None:
    """Take a deployment's guard away."""
    tx.execute(delete(table).where(table.c.deployment_id == deployment_id))


def _policy(text: str) -> GuardPolicy:
    return msgspec.json.decode(text, type=GuardPolicy)
