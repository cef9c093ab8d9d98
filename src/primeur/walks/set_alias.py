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
        before = _leads_to(tx, alias)
        rows.remove_alias(tx, alias)
        tell(tx, AliasRemoved(alias), actor=actor_of(caller), at_ms=house.clock.now_ms(), before=before)

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
    before, now_ms = _leads_to(tx, alias), house.clock.now_ms()
    rows.set_alias(tx, alias, target.id)
    what = AliasSet(alias, target.name)
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms, before=before, after={"deployment": target.name})
    return target.name


def _leads_to(tx: Tx, alias: str) -> dict[str, str] | None:
    names = {row.id: row.name for row in rows.list_deployments(tx)}
    target = rows.list_aliases(tx).get(alias)
    return None if target is None else {"deployment": names[target]}
