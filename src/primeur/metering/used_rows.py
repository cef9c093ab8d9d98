"""How much a key, project, organisation or deployment has used since a moment: what counters begin with."""

from sqlalchemy import ColumnElement, Select, Subquery, func, select

from primeur.store.database import Tx
from primeur.store.schema import customers, projects
from primeur.store.usage_sums import FOREVER_MS, used


def used_since(tx: Tx, scope: str, scope_id: str, from_ms: int) -> tuple[int, int]:
    """Give how many requests were let in, and how many tokens they used."""
    source = used(from_ms, FOREVER_MS)
    c = source.c
    sums = (func.sum(c.requests - c.refused), func.sum(c.input_tokens + c.output_tokens))
    found = tx.execute(select(*sums).where(*_within(source, scope, scope_id))).one()
    return int(found[0] or 0), int(found[1] or 0)


def spent_since(tx: Tx, scope: str, scope_id: str, currency: str, from_ms: int) -> int:
    """Give the nanos of *currency* that were spent; what has no price counts as nothing."""
    source = used(from_ms, FOREVER_MS)
    total = select(func.sum(source.c.cost_nanos)).where(*_within(source, scope, scope_id))
    return int(tx.execute(total.where(source.c.currency == currency)).scalar_one() or 0)


def _within(source: Subquery, scope: str, scope_id: str) -> list[ColumnElement[bool]]:
    c = source.c
    if scope == "deployment":
        return [c.deployment == scope_id]
    if scope == "organisation":
        mine = select(projects.c.id).where(projects.c.organisation_id == scope_id)
        return [c.project_id.in_(mine)]
    if scope == "project":
        return [c.project_id == scope_id]
    if scope == "customer":
        return [c.project_id.in_(_projects_of(scope_id))]
    return [c.key_id == scope_id]


def _projects_of(customer_id: str) -> Select[tuple[str]]:
    """A customer's own project, or those of its organisation that have no customer of their own."""
    who, others = customers.alias(), customers.alias()
    taken = select(others.c.project_id).where(others.c.project_id.is_not(None))
    whole = who.c.project_id.is_(None) & (projects.c.organisation_id == who.c.organisation_id)
    mine = (projects.c.id == who.c.project_id) | (whole & projects.c.id.not_in(taken))
    return select(projects.c.id).join(who, mine).where(who.c.id == customer_id)
