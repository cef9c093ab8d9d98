"""Budgets, and limits of organisations and deployments, as the database keeps them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from primeur.core.caller import Budget, Limits
from primeur.core.errors import NotFound
from primeur.store.database import Tx
from primeur.store.schema import budgets, scope_limits


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A budget and whose it is.

    Attributes:
        scope: ``key``, ``project``, ``organisation`` or ``deployment``.
        scope_id: an id, or a deployment's name.
        soft_nanos: from where on somebody is to be told; None is never.
    """

    scope: str
    scope_id: str
    budget: Budget
    soft_nanos: int | None
    created_ms: int


def put_budget(tx: Tx, row: BudgetRow) -> BudgetRow:
    """Set the budget of a scope and period; one that was there keeps its id."""
    found = find_budget(tx, row.scope, row.scope_id, row.budget.period)
    if found is None:
        tx.execute(insert(budgets).values(id=row.budget.id, created_ms=row.created_ms, **_values(row)))
        return row
    tx.execute(update(budgets).where(budgets.c.id == found.budget.id).values(**_values(row)))
    kept = find_budget(tx, row.scope, row.scope_id, row.budget.period)
    assert kept is not None  # noqa: S101
    return kept


def remove_budget(tx: Tx, row: BudgetRow) -> None:
    """Take a budget away.

    Raises:
        NotFound: it is gone already.
    """
    if tx.execute(delete(budgets).where(budgets.c.id == row.budget.id)).rowcount != 1:
        raise NotFound(f"there is no budget {row.budget.id!r}; `primeur budgets list` shows those there are")


def list_budgets(tx: Tx) -> list[BudgetRow]:
    """Give every budget, oldest first."""
    return [_budget(row) for row in tx.execute(select(budgets).order_by(budgets.c.created_ms, budgets.c.id))]


def find_budget(tx: Tx, scope: str, scope_id: str, period: str) -> BudgetRow | None:
    """Give the budget of a scope and period, if there is one."""
    c = budgets.c
    wanted = (c.scope == scope) & (c.scope_id == scope_id) & (c.period == period)
    row = tx.execute(select(budgets).where(wanted)).first()
    return None if row is None else _budget(row)


def put_scope_limits(tx: Tx, scope: str, scope_id: str, limits: Limits) -> None:
    """Set the limits of an organisation or a deployment; none at all removes the row."""
    c = scope_limits.c
    tx.execute(delete(scope_limits).where(c.scope == scope, c.scope_id == scope_id))
    if limits != Limits():
        named = {name: getattr(limits, name) for name in Limits.__slots__}
        tx.execute(insert(scope_limits).values(scope=scope, scope_id=scope_id, **named))


def list_scope_limits(tx: Tx) -> dict[tuple[str, str], Limits]:
    """Give the limits of organisations and deployments, by scope and id."""
    query = select(scope_limits).order_by(scope_limits.c.scope, scope_limits.c.scope_id)
    return {
        (row.scope, row.scope_id): Limits(**{name: getattr(row, name) for name in Limits.__slots__})
        for row in tx.execute(query)
    }


def _values(row: BudgetRow) -> dict[str, Any]:
    budget = row.budget
    return {
        "scope": row.scope,
        "scope_id": row.scope_id,
        "period": budget.period,
        "currency": budget.currency,
        "limit_nanos": budget.limit_nanos,
        "soft_nanos": row.soft_nanos,
        "allows_unpriced": budget.allows_unpriced,
    }


def _budget(row: Row[Any]) -> BudgetRow:
    budget = Budget(row.id, row.currency, row.limit_nanos, row.period, row.allows_unpriced)
    return BudgetRow(row.scope, row.scope_id, budget, row.soft_nanos, row.created_ms)
