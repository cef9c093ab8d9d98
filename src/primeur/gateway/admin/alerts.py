"""Who is told when budgets are reached."""

import msgspec

from primeur.billing import alert_rows as rows
from primeur.gateway.admin.page import Page
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.add_alert_target import NewAlertTarget, add_alert_target, remove_alert_target


class AlertTargetView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told: *address* is an e-mail address or a URL, by *kind*."""

    id: str
    kind: str
    address: str
    language: str
    created_ms: int


def _show(target: rows.AlertTarget) -> AlertTargetView:
    return AlertTargetView(**{name: getattr(target, name) for name in AlertTargetView.__struct_fields__})


async def list_targets(visit: Visit) -> Answer:
    """``GET /api/v1/alert-targets``."""
    return json_answer(Page([_show(one) for one in await visit.house.store.read(rows.list_targets)]))


async def post_target(visit: Visit) -> Answer:
    """``POST /api/v1/alert-targets``."""
    return json_answer(_show(await add_alert_target(visit.house, visit.caller, visit.read(NewAlertTarget))), 201)


async def delete_target(visit: Visit) -> Answer:
    """``DELETE /api/v1/alert-targets/{target}``."""
    return json_answer(_show(await remove_alert_target(visit.house, visit.caller, visit.params["target"])))


DOORS = (
    Door("GET", "/api/v1/alert-targets", list_targets, "List who is told of budgets", "billing:read", face="admin",
         gives=Page[AlertTargetView]),
    Door("POST", "/api/v1/alert-targets", post_target, "Tell somebody of budgets", "billing:write",
         tells="AlertTargetAdded", face="admin", takes=NewAlertTarget, gives=AlertTargetView, status=201),
    Door("DELETE", "/api/v1/alert-targets/{target}", delete_target, "Tell somebody no more", "billing:write",
         tells="AlertTargetRemoved", face="admin", gives=AlertTargetView),
)  # fmt: skip
