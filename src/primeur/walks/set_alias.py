"""Let a second name lead to a deployment, or free it."""

from primeur.core.caller import Caller
from primeur.core.errors import Conflict
from primeur.core.events import AliasRemoved, AliasSet
from primeur.registry import deployment_rows as rows
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House


async def set_alias(house: House, caller: Caller, alias: str, deployment: str) -> str:
    """Point *alias* at a deployment and give the deployment's name; raises as `write_alias`."""
    return await house.store.transact(lambda tx: write_alias(tx, house, caller, alias, deployment))


async def remove_alias(house: House, caller: Caller, alias: str) -> None:
    """Free a second name.

    Raises:
        NotFound: there is none.
    """

    def work(tx: Tx) -> None:
        rows.remove_alias(tx, alias)
        tell(tx, AliasRemoved(alias), actor=actor_of(caller), at_ms=house.clock.now_ms())

    await house.store.transact(work)


def write_alias(tx: Tx, house: House, caller: Caller, alias: str, deployment: str) -> str:
    """Point an alias in a transaction that is open.

    Raises:
        BadRequest: a name that cannot be used.
        NotFound: the deployment is not there.
        Conflict: a deployment has this name.
    """
    check_name(alias, "alias")
    target = rows.find_deployment(tx, deployment)
    if any(row.name == alias for row in rows.list_deployments(tx)):
        raise Conflict(f"{alias!r} is a deployment; an alias needs a name of its own", param="alias")
    rows.set_alias(tx, alias, target.id)
    tell(tx, AliasSet(alias, target.name), actor=actor_of(caller), at_ms=house.clock.now_ms())
    return target.name
