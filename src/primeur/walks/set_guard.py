"""Set what a deployment's guard looks for, or take it away."""

from primeur.core.caller import Caller
from primeur.core.events import GuardRemoved, GuardSet
from primeur.registry.deployment_rows import find_deployment
from primeur.store.database import Tx, tell
from primeur.trust import rows
from primeur.trust.rules import GuardPolicy, compile_guard
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House


async def set_guard(house: House, caller: Caller, deployment: str, policy: GuardPolicy) -> GuardPolicy:
    """Set it; raises as `write_guard`."""
    return await house.store.transact(lambda tx: write_guard(tx, house, caller, deployment, policy))


def write_guard(tx: Tx, house: House, caller: Caller, deployment: str, policy: GuardPolicy) -> GuardPolicy:
    """Set a deployment's guard in a transaction that is open.

    Raises:
        BadRequest: see `primeur.trust.rules.compile_guard`.
        NotFound: there is no such deployment.
    """
    compile_guard(policy)
    row = find_deployment(tx, deployment)
    before, now_ms = rows.find_guard(tx, row.id), house.clock.now_ms()
    rows.keep_guard(tx, row.id, policy, now_ms)
    what = GuardSet(row.name, len(policy.rules))
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms, before=before, after=policy)
    return policy


async def remove_guard(house: House, caller: Caller, deployment: str) -> GuardPolicy:
    """Take it away; gives what is left, which is nothing.

    Raises:
        NotFound: there is no such deployment.
    """

    def work(tx: Tx) -> GuardPolicy:
        row = find_deployment(tx, deployment)
        before = rows.find_guard(tx, row.id)
        rows.drop_guard(tx, row.id)
        tell(tx, GuardRemoved(row.name), actor=actor_of(caller), at_ms=house.clock.now_ms(), before=before)
        return GuardPolicy()

    return await house.store.transact(work)
