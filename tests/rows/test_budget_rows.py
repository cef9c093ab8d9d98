"""Budgets, limits of scopes, and what was used, on both databases."""

import dataclasses

import msgspec
import pytest

from primeur.core.caller import Budget, Limits
from primeur.core.errors import NotFound
from primeur.core.usage import Taken, Usage, UsageEvent
from primeur.governance import budget_rows, rows
from primeur.metering.rows import keep_usage
from primeur.walks.read_used import read_used

ROW = budget_rows.BudgetRow("key", "key_1", Budget("bud_1", "EUR", 10**10, "month"), 5 * 10**9, 7)


def test_a_budget_is_set_again_and_keeps_its_id(store):
    """One for each scope and period."""
    store.transact_now(lambda tx: budget_rows.put_budget(tx, ROW))
    raised = Budget("bud_2", "USD", 2 * 10**10, "month", allows_unpriced=True)
    again = dataclasses.replace(ROW, budget=raised, soft_nanos=None)
    kept = store.transact_now(lambda tx: budget_rows.put_budget(tx, again))
    assert kept == dataclasses.replace(again, budget=dataclasses.replace(raised, id="bud_1"))
    daily = dataclasses.replace(ROW, budget=Budget("bud_3", "EUR", 1, "day"))
    store.transact_now(lambda tx: budget_rows.put_budget(tx, daily))
    assert store.read_now(budget_rows.list_budgets) == [kept, daily]


def test_a_removed_budget_is_gone(store):
    """Removing it again says where to look."""
    store.transact_now(lambda tx: budget_rows.put_budget(tx, ROW))
    store.transact_now(lambda tx: budget_rows.remove_budget(tx, ROW))
    with pytest.raises(NotFound, match="primeur budgets list"):
        store.transact_now(lambda tx: budget_rows.remove_budget(tx, ROW))


def test_limits_of_a_scope_come_and_go(store):
    """No limit at all is no row."""
    wide = Limits(5, 6, 7, 8, 1 << 40)
    store.transact_now(lambda tx: budget_rows.put_scope_limits(tx, "deployment", "echo", Limits(1)))
    store.transact_now(lambda tx: budget_rows.put_scope_limits(tx, "deployment", "echo", wide))
    assert store.read_now(budget_rows.list_scope_limits) == {("deployment", "echo"): wide}
    store.transact_now(lambda tx: budget_rows.put_scope_limits(tx, "deployment", "echo", Limits()))
    assert store.read_now(budget_rows.list_scope_limits) == {}


def used(number, at_ms, **other):
    event = UsageEvent(
        f"req_{number}", at_ms, "chat", "completed", 200, "prj_1", "key_1", "echo",
        usage=Usage(3, 0, 4), cost_nanos=100, currency="EUR",
    )  # fmt: skip
    return msgspec.structs.replace(event, **other)


async def test_what_was_used_is_read_by_scope_period_and_currency(store):
    """Refusals used nothing; other currencies and unknown prices are not money of this budget."""

    def write(tx):
        rows.add_organisation(tx, rows.Organisation("org_1", "default", 1))
        for name in ("prj_1", "prj_2"):
            rows.add_project(tx, rows.Project(name, "org_1", name, keeps_prompts=False, limits=Limits(), created_ms=2))
        rows.add_key(tx, rows.Key("key_1", "prj_1", "app", b"d" * 32, "pk_a...z", "member", Limits(), 4))
        events = [
            used(1, 50),
            used(2, 100),
            used(3, 101, cost_nanos=7, currency="USD"),
            used(4, 102, cost_nanos=None, currency=None),
            used(5, 103, project_id="prj_2", key_id="key_2"),
            used(6, 104, deployment="other"),
            used(7, 105, outcome="refused", cost_nanos=None, currency=None, usage=Usage()),
        ]
        keep_usage(tx, events)

    store.transact_now(write)
    asked = {
        ("key:key_1", "money", "EUR"): 200,
        ("key:key_1", "money", "USD"): 7,
        ("project:prj_2", "money", "EUR"): 100,
        ("organisation:org_1", "money", "EUR"): 300,
        ("deployment:echo", "money", "EUR"): 200,
        ("key:key_1", "requests_day", ""): 4,
        ("organisation:org_1", "tokens_day", ""): 35,
    }
    assert await read_used(store, [Taken(*one, 100) for one in asked]) == list(asked.values())
