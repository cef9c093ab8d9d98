"""Make, change and give up roles of an organisation's own."""

import re
from typing import Annotated

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict, NotFound, NotPermitted
from primeur.core.events import RoleRemoved, RoleSet
from primeur.governance import member_rows, rows, rules
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House

_ROLES_LIMIT = 100
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


class NewRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a role may do; none of it beyond what whoever makes it may."""

    permissions: Annotated[list[str], msgspec.Meta(max_length=200)]


async def set_role(house: House, caller: Caller, name: str, ask: NewRole) -> frozenset[str]:
    """Make or change a role, tell it, and give what it may do.

    Raises:
        BadRequest: a name or a permission that is none.
        Conflict: every house has a role of this name, or the organisation has too many.
        NotPermitted: the role may do, or could do, more than the caller.
    """
    if not _NAME.fullmatch(name):
        raise BadRequest("a role is called by small letters, digits and dashes, such as help-desk", param="role")
    if name in rules.roles:
        raise Conflict(f"the role {name!r} is one that every house has; choose another name")
    granted = frozenset(ask.permissions)
    unknown = sorted(granted - set(rules.PERMISSIONS))
    if unknown:
        raise BadRequest(
            f"there is no permission {unknown[0][:64]!r}; `primeur roles list` shows them", param="permissions"
        )
    rules.check_grant(caller, name, granted)

    def work(tx: Tx) -> None:
        _check_reach(caller)
        known = member_rows.list_roles(tx).get(caller.organisation_id, {})
        if name in known:
            rules.check_grant(caller, name, known[name])
        elif len(known) >= _ROLES_LIMIT:
            raise Conflict(f"an organisation has at most {_ROLES_LIMIT} roles of its own; remove one first")
        now_ms = house.clock.now_ms()
        member_rows.put_role(tx, caller.organisation_id, name, granted, now_ms)
        before = sorted(known.get(name, ()))
        what = RoleSet(name, tuple(sorted(granted)))
        tell(tx, what, actor=actor_of(caller), at_ms=now_ms, before=before, after=sorted(granted))

    await house.store.transact(work)
    return granted


async def remove_role(house: House, caller: Caller, name: str) -> None:
    """Give a role up and tell it.

    Raises:
        NotFound: the organisation has no such role of its own.
        Conflict: somebody or something still has it.
    """

    def work(tx: Tx) -> None:
        _check_reach(caller)
        known = member_rows.list_roles(tx).get(caller.organisation_id, {})
        if name not in known:
            raise NotFound(f"there is no role {name!r} of this organisation's own")
        rules.check_grant(caller, name, known[name])
        holders = _holders(tx, caller.organisation_id, name)
        if holders:
            raise Conflict(f"{holders[0]!r} has the role {name!r}; give them another one first")
        member_rows.drop_role(tx, caller.organisation_id, name)
        tell(tx, RoleRemoved(name), actor=actor_of(caller), at_ms=house.clock.now_ms(), before=sorted(known[name]))

    await house.store.transact(work)


def _check_reach(caller: Caller) -> None:
    # A role is everywhere in its organisation, so whoever sees one project alone does not make any.
    if not {"organisation", "house"} & caller.permissions:
        raise NotPermitted("a role holds in the whole organisation; only who acts on all of it may set one")


def _holders(tx: Tx, organisation_id: str, name: str) -> list[str]:
    people = member_rows.members_of(tx, organisation_id)
    found = [one.name for one in people if one.role == name]
    ids = {one.id: one.name for one in people}
    found += [
        ids[member] for (member, _), role in member_rows.list_memberships(tx).items() if role == name and member in ids
    ]
    ours = {one.id for one in rows.list_projects(tx) if one.organisation_id == organisation_id}
    keys = rows.list_keys(tx)
    return found + [one.name for one in keys if one.role == name and one.revoked_ms is None and one.project_id in ours]
