"""Limits of organisations and deployments; keys and projects carry theirs."""

import msgspec

from primeur.gateway.admin.page import LimitsView, Page, in_force, show_limits
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.budget_rows import list_scope_limits
from primeur.governance.rules import visible_project
from primeur.walks.limit_fields import LimitsChange
from primeur.walks.set_limits import ScopeLimits, set_limits


class ScopeLimitsView(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an organisation (by id) or a deployment (by name)."""

    scope: str
    name: str
    limits: LimitsView


def _show(found: ScopeLimits) -> ScopeLimitsView:
    return ScopeLimitsView(scope=found.scope, name=found.scope_id, limits=show_limits(found.limits))


async def list_all(visit: Visit) -> Answer:
    """``GET /api/v1/limits``: none for whoever sees only one project."""
    found = await visit.house.store.read(list_scope_limits) if visible_project(visit.caller) is None else {}
    return json_answer(Page([_show(ScopeLimits(*place, limits)) for place, limits in found.items()]))


async def patch_limits(visit: Visit) -> Answer:
    """``PATCH /api/v1/limits/{scope}/{name}``."""
    change = visit.read(LimitsChange)
    found = await set_limits(visit.house, visit.caller, visit.params["scope"], visit.params["name"], change)
    return await in_force(visit, _show(found))


DOORS = (
    Door(
        "GET", "/api/v1/limits", list_all, "List limits of organisations and deployments", "budgets:read",
        face="admin", gives=Page[ScopeLimitsView],
    ),
    Door(
        "PATCH", "/api/v1/limits/{scope}/{name}", patch_limits, "Change limits of an organisation or a deployment",
        "budgets:write", tells="LimitsSet", face="admin", takes=LimitsChange, gives=ScopeLimitsView,
    ),
)  # fmt: skip
