"""How much a key, project, organisation or deployment has used since a moment: what counters begin with."""

from sqlalchemy import ColumnElement, Select, func, select

from primeur.store.database import Tx
from primeur.store.schema import customers, keys, projects, requests


def used_since(tx: Tx, scope: str, scope_id: str, from_ms: int) -> tuple[int, int]:
    """Give how many requests were let in, and how many tokens they used."""
    c = requests.c
    tokens = func.coalesce(func.sum(c.input_tokens + c.output_tokens), 0)
    let_in = c.outcome != "refused"
    found = tx.execute(select(func.count(), tokens).where(*_within(scope, scope_id, from_ms), let_in)).one()
    return int(found[0]), int(found[1])


def spent_since(tx: Tx, scope: str, scope_id: str, currency: str, from_ms: int) -> int:
    """Give the nanos of *currency* that were spent; what has no price counts as nothing."""
    c = requests.c
    total = select(func.coalesce(func.sum(c.cost_nanos), 0))
    return int(tx.execute(total.where(*_within(scope, scope_id, from_ms), c.currency == currency)).scalar_one())


def _within(scope: str, scope_id: str, from_ms: int) -> list[ColumnElement[bool]]:
    c = requests.c
    within: list[ColumnElement[bool]] = [c.at_ms >= from_ms]
    if scope == "deployment":
        return [*within, c.deployment == scope_id]
    if scope == "organisation":
        mine = select(projects.c.id).where(projects.c.organisation_id == scope_id)
        return [*within, c.project_id.in_(mine)]
    if scope == "project":
        return [*within, c.project_id == scope_id]
    if scope == "customer":
        return [*within, c.project_id.in_(_projects_of(scope_id))]
    # By its project too, because that is how requests are found quickly.
    home = select(keys.c.project_id).where(keys.c.id == scope_id).scalar_subquery()
    return [*within, c.project_id == home, c.key_id == scope_id]


def _projects_of(customer_id: str) -> Select[tuple[str]]:
    """A customer's own project, or those of its organisation that have no customer of their own."""
    who, others = customers.alias(), customers.alias()
    taken = select(others.c.project_id).where(others.c.project_id.is_not(None))
    whole = who.c.project_id.is_(None) & (projects.c.organisation_id == who.c.organisation_id)
    mine = (projects.c.id == who.c.project_id) | (whole & projects.c.id.not_in(taken))
    return select(projects.c.id).join(who, mine).where(who.c.id == customer_id)
