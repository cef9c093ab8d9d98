"""Budgets: what a key, project, organisation or deployment may spend in a period, and what it has spent."""

import msgspec

from primeur.core.money import amount_of
from primeur.core.periods import span_of
from primeur.gateway.admin.page import Gone, Page, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.budget_rows import BudgetRow, list_budgets
from primeur.metering.used_rows import spent_since
from primeur.store.database import Tx
from primeur.walks.set_budget import Bound, NewBudget, drop_budget, find, name_of, sees, set_budget


class BudgetView(msgspec.Struct, frozen=True, kw_only=True):
    """A budget; amounts are decimals in text.

    Attributes:
        name: of the key, project or organisation whose id is *scope_id*.
        spent: in this period, as the books have it; what is being answered is set aside besides.
        soft: from where on somebody is to be told; null is never.
        state: ``within``, ``soft`` (beyond the soft limit) or ``spent``.
        allows_unpriced: lets in what has no price in this currency.
        from_ms, to_ms: the period that it is now, UTC milliseconds; *to_ms* is null where it has no end.
    """

    id: str
    scope: str
    scope_id: str
    name: str
    period: str
    currency: str
    limit: str
    soft: str | None
    spent: str
    state: str
    allows_unpriced: bool
    from_ms: int
    to_ms: int | None
    created_ms: int


def _show(tx: Tx, row: BudgetRow, now_ms: int) -> BudgetView:
    budget = row.budget
    from_ms, to_ms = span_of(budget.period, now_ms)
    spent = spent_since(tx, row.scope, row.scope_id, budget.currency, from_ms)
    soft = row.soft_nanos
    return BudgetView(
        id=budget.id,
        scope=row.scope,
        scope_id=row.scope_id,
        name=name_of(tx, row),
        period=budget.period,
        currency=budget.currency,
        limit=amount_of(budget.limit_nanos),
        soft=None if soft is None else amount_of(soft),
        spent=amount_of(spent),
        state="spent" if spent >= budget.limit_nanos else "soft" if soft is not None and spent >= soft else "within",
        allows_unpriced=budget.allows_unpriced,
        from_ms=from_ms,
        to_ms=None if budget.period == "total" else to_ms,
        created_ms=row.created_ms,
    )


def _bound(visit: Visit) -> Bound:
    return Bound(visit.params["scope"], visit.params["name"], visit.params["period"])


async def list_all(visit: Visit) -> Answer:
    """``GET /api/v1/budgets``."""
    now_ms = visit.house.clock.now_ms()

    def read(tx: Tx) -> list[BudgetView]:
        return [_show(tx, row, now_ms) for row in list_budgets(tx) if sees(tx, visit.caller, row)]

    return json_answer(Page(await visit.house.store.read(read)))


async def get_budget(visit: Visit) -> Answer:
    """``GET /api/v1/budgets/{scope}/{name}/{period}``."""
    now_ms, bound = visit.house.clock.now_ms(), _bound(visit)
    found = await visit.house.store.read(lambda tx: _show(tx, find(tx, visit.caller, bound), now_ms))
    return json_answer(found)


async def put_budget(visit: Visit) -> Answer:
    """``PUT /api/v1/budgets/{scope}/{name}/{period}``."""
    row = await set_budget(visit.house, visit.caller, _bound(visit), visit.read(NewBudget))
    now_ms = visit.house.clock.now_ms()
    return await in_force(visit, await visit.house.store.read(lambda tx: _show(tx, row, now_ms)))


async def delete_budget(visit: Visit) -> Answer:
    """``DELETE /api/v1/budgets/{scope}/{name}/{period}``."""
    row = await drop_budget(visit.house, visit.caller, _bound(visit))
    return await in_force(visit, Gone(row.budget.id, visit.params["name"]))


_ONE = "/api/v1/budgets/{scope}/{name}/{period}"
DOORS = (
    Door(
        "GET", "/api/v1/budgets", list_all, "List budgets", "budgets:read", face="admin", gives=Page[BudgetView],
    ),
    Door("GET", _ONE, get_budget, "Show a budget", "budgets:read", face="admin", gives=BudgetView),
    Door(
        "PUT", _ONE, put_budget, "Set a budget", "budgets:write", tells="BudgetSet", face="admin", takes=NewBudget,
        gives=BudgetView,
    ),
    Door(
        "DELETE", _ONE, delete_budget, "Take a budget away", "budgets:write", tells="BudgetRemoved", face="admin",
        gives=Gone,
    ),
)  # fmt: skip
