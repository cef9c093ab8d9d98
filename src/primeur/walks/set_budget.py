"""Set what a key, project, organisation or deployment may spend in a period, or let it spend freely again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import msgspec

from primeur.core.caller import Budget, Caller, Period
from primeur.core.errors import BadRequest, NotFound
from primeur.core.events import BudgetRemoved, BudgetSet
from primeur.core.ids import make_id
from primeur.core.money import nanos_of
from primeur.governance import rows as governance
from primeur.governance.budget_rows import BudgetRow, find_budget, put_budget, remove_budget
from primeur.governance.rows import Key, Organisation, Project
from primeur.governance.rules import visible_project
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of, choose_project
from primeur.walks.house import House

Scope = Literal["key", "project", "organisation", "deployment"]
Amount = Annotated[str, msgspec.Meta(max_length=30)]


@dataclass(frozen=True, slots=True)
class Bound:
    """Whose budget, and for how long.

    Attributes:
        scope: ``key``, ``project``, ``organisation`` or ``deployment``.
        name: name or id.
        period: ``day``, ``month`` or ``total``.
    """

    scope: str
    name: str
    period: str


class NewBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be spent.

    Attributes:
        limit: decimals in text, such as ``10.00``; the worst case of each request is held before it is let in.
        soft: from where on somebody is to be told; null is never.
        allows_unpriced: let in what has no price in this currency; it counts as nothing.
    """

    limit: Amount
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"
    soft: Amount | None = None
    allows_unpriced: bool = False


async def set_budget(house: House, caller: Caller, bound: Bound, ask: NewBudget) -> BudgetRow:
    """Set a budget and tell it; raises as `write_budget`."""
    return await house.store.transact(lambda tx: write_budget(tx, house, caller, bound, ask))


def write_budget(tx: Tx, house: House, caller: Caller, bound: Bound, ask: NewBudget) -> BudgetRow:
    """Set a budget in a transaction that is open.

    Raises:
        BadRequest: no such scope or period, or an amount that is none.
        NotFound: whoever is to be bound is not there for this caller.
    """
    now_ms = house.clock.now_ms()
    budget = Budget(
        make_id("budget", now_ms, house.entropy),
        ask.currency,
        nanos_of(ask.limit, "limit"),
        read_period(bound.period),
        ask.allows_unpriced,
    )
    soft = None if ask.soft is None else nanos_of(ask.soft, "soft")
    whose = scope_id(tx, caller, bound.scope, bound.name)
    row = put_budget(tx, BudgetRow(bound.scope, whose, budget, soft, now_ms))
    what = BudgetSet(
        row.budget.id, f"{row.scope}:{row.scope_id}", bound.period, row.budget.limit_nanos, ask.currency, row.soft_nanos
    )
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms, after=row)
    return row


async def drop_budget(house: House, caller: Caller, bound: Bound) -> BudgetRow:
    """Take a budget away and tell it; raises as `find`."""

    def work(tx: Tx) -> BudgetRow:
        row = find(tx, caller, bound)
        remove_budget(tx, row)
        what = BudgetRemoved(row.budget.id, f"{row.scope}:{row.scope_id}")
        tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=row)
        return row

    return await house.store.transact(work)


def find(tx: Tx, caller: Caller, bound: Bound) -> BudgetRow:
    """Give one budget.

    Raises:
        BadRequest: no such scope or period.
        NotFound: there is none, or it is not for this caller to see.
    """
    row = find_budget(tx, bound.scope, scope_id(tx, caller, bound.scope, bound.name), read_period(bound.period))
    if row is None:
        whose = f"{bound.scope} {bound.name!r}"
        raise NotFound(f"{whose} has no budget for {bound.period!r}; `primeur budgets list` shows those there are")
    return row


def scope_id(tx: Tx, caller: Caller, scope: str, name: str) -> str:
    """Give the id of whoever is to be bound (a deployment: its name).

    Raises:
        BadRequest: there is no such scope.
        NotFound: nobody is called so, as far as this caller sees.
    """
    if scope == "key":
        return governance.find_key(tx, name, visible_project(caller)).id
    if scope == "project":
        return choose_project(tx, caller, name).id
    if scope not in get_args(Scope):
        raise BadRequest(f"there is no scope {scope!r}; choose one of {', '.join(get_args(Scope))}", param="scope")
    if visible_project(caller) is not None:
        raise NotFound(f"{scope} {name!r} is not for {caller.name!r} to see")
    if scope == "deployment":
        return real_deployment(tx, name).name
    return governance.find_organisation(tx, name).id


def read_period(period: str) -> Period:
    """Read the name of a period.

    Raises:
        BadRequest: it is none.
    """
    for known in get_args(Period):
        if period == known:
            return known  # type: ignore[no-any-return] # get_args gives what Period is made of
    raise BadRequest(f"there is no period {period!r}; choose one of {', '.join(get_args(Period))}", param="period")


def sees(tx: Tx, caller: Caller, row: BudgetRow) -> bool:
    """Whether *caller* may see a budget: everything, or what is within the caller's project."""
    only = visible_project(caller)
    if only is None:
        return True
    mine = {only} if row.scope == "project" else {one.id for one in governance.list_keys(tx, only)}
    return row.scope in {"key", "project"} and row.scope_id in mine


def name_of(tx: Tx, row: BudgetRow) -> str:
    """Give the name of whoever a budget bounds; the id where there is nobody any more."""
    if row.scope == "deployment":
        return row.scope_id
    finders: dict[str, Callable[[Tx, str], Key | Project | Organisation]] = {
        "key": governance.find_key,
        "project": governance.find_project,
        "organisation": governance.find_organisation,
    }
    try:
        return finders[row.scope](tx, row.scope_id).name
    except NotFound:
        return row.scope_id
