"""Limits and budgets that a ``primeur.toml`` declares: ``[limits.SCOPE.NAME]``, ``[budgets.SCOPE.NAME.PERIOD]``."""

import dataclasses
from typing import Any

import msgspec

from primeur.core.caller import Caller, Limits
from primeur.core.money import amount_of, nanos_of
from primeur.governance.budget_rows import list_scope_limits
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.read_document import Declared
from primeur.walks.set_budget import Bound, find, scope_id, write_budget
from primeur.walks.set_limits import check_scope, write_limits


def limits_there(tx: Tx, caller: Caller, entry: Declared) -> dict[str, Any]:
    """Give the limits that an organisation or a deployment has.

    Raises:
        BadRequest: the scope carries its limits itself, or is none.
        NotFound: there is nobody of this name.
    """
    scope, name = entry.path
    check_scope(scope)
    found = list_scope_limits(tx).get((scope, scope_id(tx, caller, scope, name)), Limits())
    return dataclasses.asdict(found)


def make_limits(tx: Tx, house: House, caller: Caller, entry: Declared, _change: object) -> None:
    """Set them."""
    scope, name = entry.path
    write_limits(tx, house, caller, scope, name, entry.what)


def budget_wanted(_tx: Tx, entry: Declared) -> dict[str, Any]:
    """Give what is declared, with amounts as they are shown.

    Raises:
        BadRequest: an amount is none.
    """
    wanted = dict(msgspec.to_builtins(entry.what))
    for field in ("limit", "soft"):
        if wanted[field] is not None:
            wanted[field] = amount_of(nanos_of(wanted[field], f"budgets.{'.'.join(entry.path)}.{field}"))
    return wanted


def budget_there(tx: Tx, caller: Caller, entry: Declared) -> dict[str, Any]:
    """Give the budget that is in force.

    Raises:
        BadRequest: no such scope or period.
        NotFound: there is none.
    """
    row = find(tx, caller, Bound(*entry.path))
    return {
        "limit": amount_of(row.budget.limit_nanos),
        "currency": row.budget.currency,
        "soft": None if row.soft_nanos is None else amount_of(row.soft_nanos),
        "allows_unpriced": row.budget.allows_unpriced,
    }


def make_budget(tx: Tx, house: House, caller: Caller, entry: Declared, _change: object) -> None:
    """Set it."""
    write_budget(tx, house, caller, Bound(*entry.path), entry.what)
