"""Guards: what is looked for in what passes through a deployment."""

from primeur.gateway.admin.page import in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.registry.deployment_rows import find_deployment
from primeur.trust.rows import find_guard
from primeur.trust.rules import GuardPolicy
from primeur.walks.set_guard import remove_guard, set_guard


async def get_guard(visit: Visit) -> Answer:
    """``GET /api/v1/deployments/{deployment}/guard``."""
    name = visit.params["deployment"]
    return json_answer(await visit.house.store.read(lambda tx: find_guard(tx, find_deployment(tx, name).id)))


async def put_guard(visit: Visit) -> Answer:
    """``PUT /api/v1/deployments/{deployment}/guard``."""
    policy = visit.read(GuardPolicy)
    return await in_force(visit, await set_guard(visit.house, visit.caller, visit.params["deployment"], policy))


async def delete_guard(visit: Visit) -> Answer:
    """``DELETE /api/v1/deployments/{deployment}/guard``."""
    return await in_force(visit, await remove_guard(visit.house, visit.caller, visit.params["deployment"]))


_ONE = "/api/v1/deployments/{deployment}/guard"
DOORS = (
    Door("GET", _ONE, get_guard, "Show what a deployment's guard looks for", "deployments:read", face="admin",
         gives=GuardPolicy),
    Door("PUT", _ONE, put_guard, "Set what a deployment's guard looks for", "deployments:write", tells="GuardSet",
         face="admin", takes=GuardPolicy, gives=GuardPolicy),
    Door("DELETE", _ONE, delete_guard, "Take a deployment's guard away", "deployments:write", tells="GuardRemoved",
         face="admin", gives=GuardPolicy),
)  # fmt: skip
