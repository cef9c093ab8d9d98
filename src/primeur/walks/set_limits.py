"""Set the limits of an organisation or a deployment; keys and projects carry theirs in their own rows."""

import dataclasses
from typing import get_args

from primeur.core.caller import Caller, Limits
from primeur.core.errors import BadRequest
from primeur.core.events import LimitsSet
from primeur.governance.budget_rows import list_scope_limits, put_scope_limits
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.limit_fields import LimitsChange, changed_limits
from primeur.walks.set_budget import Scope, scope_id


@dataclasses.dataclass(frozen=True, slots=True)
class ScopeLimits:
    """Limits and whose they are."""

    scope: str
    scope_id: str
    limits: Limits


async def set_limits(house: House, caller: Caller, scope: str, name: str, change: LimitsChange) -> ScopeLimits:
    """Set limits and tell it; raises as `write_limits`."""
    return await house.store.transact(lambda tx: write_limits(tx, house, caller, scope, name, change))


def write_limits(  # noqa: PLR0913, PLR0917 (whose limits, and what shall be different)
    tx: Tx, house: House, caller: Caller, scope: str, name: str, change: LimitsChange
) -> ScopeLimits:
    """Set limits in a transaction that is open.

    Raises:
        BadRequest: the scope is none, or carries its own limits.
        NotFound: there is no such organisation or deployment.
    """
    check_scope(scope)
    found = scope_id(tx, caller, scope, name)
    old = list_scope_limits(tx).get((scope, found), Limits())
    limits = changed_limits(old, change)
    put_scope_limits(tx, scope, found, limits)
    what = LimitsSet(f"{scope}:{found}", **dataclasses.asdict(limits))
    tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=old, after=limits)
    return ScopeLimits(scope, found, limits)


def check_scope(scope: str) -> None:
    """Take a scope that has limits of this kind.

    Raises:
        BadRequest: it is none, or carries its own limits.
    """
    if scope in {"key", "project"}:
        words = f"a {scope} carries its own limits; use `primeur {scope}s change`"
        raise BadRequest(words, param="scope")
    if scope not in get_args(Scope):
        raise BadRequest(f"there is no scope {scope!r}; choose organisation or deployment", param="scope")
