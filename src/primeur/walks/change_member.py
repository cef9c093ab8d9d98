"""Change, disable, enable and remove members; let them be in more projects."""

import dataclasses
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.core.events import MemberChanged, MembershipSet
from primeur.governance import member_rows, rules
from primeur.governance.sign_in_rows import remove_sessions_of
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of, check_giving, choose_project
from primeur.walks.given import given
from primeur.walks.house import House
from primeur.walks.invite_member import Name, UserName, shown
from primeur.walks.take_seat import check_seats


class MemberChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; what is not given stays.

    Attributes:
        state: ``disabled`` ends sessions at once and lets no key of theirs work; ``active`` takes it back.
    """

    name: Name | UnsetType = UNSET
    user_name: UserName | UnsetType | None = UNSET
    role: str | UnsetType = UNSET
    state: Literal["active", "disabled"] | UnsetType = UNSET


async def change_member(house: House, caller: Caller, name: str, change: MemberChange) -> member_rows.Member:
    """Change a member and tell it; raises as `write_change`."""
    return await house.store.transact(lambda tx: write_change(tx, house, caller, find(tx, caller, name), change))


async def remove_member(house: House, caller: Caller, name: str) -> member_rows.Member:
    """Remove a member for good: sessions end, keys of theirs stop working, their name stays in the log.

    Raises:
        NotFound, NotPermitted: as `write_change`.
        Conflict: they are the last owner.
    """

    def work(tx: Tx) -> member_rows.Member:
        member = find(tx, caller, name)
        check_giving(tx, caller, member.organisation_id, member.role)
        gone = dataclasses.replace(
            member, state=member_rows.MEMBER.after(member.state, "remove"), user_name=None, password=None
        )
        return keep_change(tx, house, caller, member, gone)

    return await house.store.transact(work)


async def set_membership(house: House, caller: Caller, name: str, project: str, role: str | None) -> member_rows.Member:
    """Let a member be in a project as *role*; None takes them out of it.

    Raises:
        NotFound: there is no such member or project for this caller, or they are not in it.
        NotPermitted: the role may do more than the caller.
        Conflict: the project is the member's home.
    """

    def work(tx: Tx) -> member_rows.Member:
        member, place = find(tx, caller, name), choose_project(tx, caller, project)
        if place.organisation_id != member.organisation_id:
            raise NotFound(f"there is no project {project!r} in the organisation of {member.name!r}")
        if place.id == member.project_id:
            raise Conflict(f"{place.name!r} is where {member.name!r} is at home; change the member's role instead")
        before = member_rows.list_memberships(tx).get((member.id, place.id))
        for one in {role, before} - {None}:
            check_giving(tx, caller, member.organisation_id, str(one))
        if role is not None:
            member_rows.put_membership(tx, member.id, place.id, role)
            check_seats(tx, place.id, house.clock.now_ms())
        elif not member_rows.drop_membership(tx, member.id, place.id):
            raise NotFound(f"{member.name!r} is not in {place.name!r}")
        what = MembershipSet(member.id, place.id, role or "")
        tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=before, after=role)
        return member

    return await house.store.transact(work)


def find(tx: Tx, caller: Caller, name: str) -> member_rows.Member:
    """Give a member that this caller may see; a name is looked for in the caller's organisation first.

    Raises:
        NotFound: there is none.
    """
    try:
        member = member_rows.find_member(tx, name, caller.organisation_id)
    except NotFound:
        member = member_rows.find_member(tx, name)
    if not rules.may_see(caller, member.organisation_id, member.project_id):
        raise NotFound(f"there is no member {name!r}; `primeur members list` shows those there are")
    return member


def write_change(
    tx: Tx, house: House, caller: Caller, member: member_rows.Member, change: MemberChange
) -> member_rows.Member:
    """Change a member in a transaction that is open.

    Raises:
        NotPermitted: they may do, or would be able to do, more than the caller.
        Conflict: they are the last owner, or the user name is taken.
    """
    check_giving(tx, caller, member.organisation_id, member.role)
    role = given(change.role, member.role)
    check_giving(tx, caller, member.organisation_id, role)
    user_name = given(change.user_name, member.user_name)
    if user_name is not None and member.kind == "service":
        raise BadRequest("a service account does not sign in; leave user_name out", param="user_name")
    state = member.state
    if change.state is not UNSET:
        state = member_rows.MEMBER.after(state, "enable" if change.state == "active" else "disable")
    name = given(change.name, member.name)
    changed = dataclasses.replace(member, name=name, user_name=user_name, role=role, state=state)
    return keep_change(tx, house, caller, member, changed)


def keep_change(
    tx: Tx, house: House, caller: Caller, before: member_rows.Member, after: member_rows.Member
) -> member_rows.Member:
    """Keep a changed member in a transaction that is open; whoever is not here any more is signed out.

    Raises:
        Conflict: they are the last owner, the user name is taken, or the plan has no seat for them.
    """
    if before.role == "owner" and (after.role != "owner" or not after.is_here):
        others = [one for one in member_rows.members_of(tx, before.organisation_id) if one.id != before.id]
        if not any(one.role == "owner" and one.is_here for one in others):
            raise Conflict(f"{before.name!r} is the last owner of the organisation; make another owner first")
    member_rows.change_member(tx, after)
    if not after.is_here:
        remove_sessions_of(tx, after.id)
    elif not before.is_here:
        check_seats(tx, after.project_id, house.clock.now_ms())
    what = MemberChanged(after.id, after.role, after.state)
    tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=shown(before), after=shown(after))
    return after
