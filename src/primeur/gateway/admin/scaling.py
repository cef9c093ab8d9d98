"""How a deployment is scaled, and what was decided about its replicas."""

from typing import Annotated

import msgspec

from primeur.core.scaling import Scaling
from primeur.gateway.admin.deployments import DeploymentView, get_deployment
from primeur.gateway.admin.page import Page, asked, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.registry import deployment_rows, scaling_rows
from primeur.registry.scaling import Evidence
from primeur.registry.scaling_rows import ScalingDecision
from primeur.store.database import Tx
from primeur.walks.check_deployments import real_deployment
from primeur.walks.set_scaling import set_scaling


class ScalingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many decisions to give."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about the replicas of one revision on one machine.

    Attributes:
        revision: its number.
        place: name of the data folder whose engines are meant.
        before, replicas: how many ran, and how many shall run.
        wanted: how many there would be if memory had no end.
        reason: ``bounds``, ``asked``, ``idle``, ``load`` or ``memory``; *detail* says it in words.
        in_force: no later decision is.
    """

    id: str
    at_ms: int
    revision: int
    place: str
    before: int
    replicas: int
    wanted: int
    reason: str
    detail: str
    evidence: Evidence
    in_force: bool


async def list_decisions(visit: Visit) -> Answer:
    """``GET /api/v1/deployments/{deployment}/scaling``: newest first."""
    query = asked(visit, ScalingQuery)

    def read(tx: Tx) -> list[DecisionView]:
        row = real_deployment(tx, visit.params["deployment"])
        numbers = {one.id: one.number for one in deployment_rows.list_revisions(tx, row.id)}
        return [_show(one, numbers) for one in scaling_rows.list_decisions(tx, row.id, query.limit)]

    return json_answer(Page(await visit.house.store.read(read)))


def _show(row: ScalingDecision, numbers: dict[str, int]) -> DecisionView:
    same = ("id", "place", "before", "replicas", "wanted", "reason", "detail")
    return DecisionView(
        **{name: getattr(row, name) for name in same},
        at_ms=row.created_ms,
        revision=numbers[row.revision_id],
        evidence=msgspec.json.decode(row.evidence, type=Evidence),
        in_force=row.newest,
    )


async def put_scaling(visit: Visit) -> Answer:
    """``PUT /api/v1/deployments/{deployment}/scaling``: a new revision that is scaled so."""
    await set_scaling(visit.house, visit.caller, visit.params["deployment"], visit.read(Scaling))
    await in_force(visit, None)
    return await get_deployment(visit)


_SCALING = "/api/v1/deployments/{deployment}/scaling"
DOORS = (
    Door("GET", _SCALING, list_decisions, "List decisions about replicas", "deployments:read", face="admin",
         takes=ScalingQuery, gives=Page[DecisionView]),
    Door("PUT", _SCALING, put_scaling, "Scale a deployment otherwise", "deployments:write", tells="RevisionDeployed",
         face="admin", takes=Scaling, gives=DeploymentView),
)  # fmt: skip
