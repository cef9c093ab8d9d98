"""Let an identity provider keep members and groups over SCIM; whoever it deactivates is signed out at once."""

import dataclasses

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.core.events import GroupRemoved, GroupSet, MemberInvited
from primeur.core.ids import make_id
from primeur.governance import group_rows, member_rows
from primeur.governance.member_rows import Member
from primeur.governance.rows import list_keys
from primeur.governance.scim_filters import Json
from primeur.governance.scim_forms import is_active, kept_of, member_ids, name_of, text_of
from primeur.store.database import Tx, tell
from primeur.walks.change_member import keep_change
from primeur.walks.choose_project import actor_of
from primeur.walks.follow_groups import DEFAULT_ROLE, follow_groups, home_of
from primeur.walks.house import House
from primeur.walks.invite_member import shown
from primeur.walks.take_seat import check_seats


def people_of(tx: Tx, caller: Caller) -> list[Member]:
    """Give the people of the caller's organisation."""
    return [one for one in member_rows.members_of(tx, caller.organisation_id) if one.kind == "person"]


def find_person(tx: Tx, caller: Caller, member_id: str) -> Member:
    """Give one of them.

    Raises:
        NotFound: there is nobody of this id.
    """
    found = next((one for one in people_of(tx, caller) if one.id == member_id), None)
    if found is None:
        raise NotFound(f"there is no user {member_id[:64]!r}")
    return found


def find_me(tx: Tx, caller: Caller) -> Member:
    """Give whom the caller's session or key belongs to.

    Raises:
        NotFound: the key is nobody's.
    """
    keys = list_keys(tx, caller.project_id)
    mine = caller.member_id or next((one.member_id for one in keys if one.id == caller.key_id), None)
    if mine is None:
        raise NotFound("the key belongs to no user, so there is no /Me; ask for /Users/ID, or use a user's key")
    return find_person(tx, caller, mine)


def find_group(tx: Tx, caller: Caller, group_id: str) -> group_rows.Group:
    """Give a group of the caller's organisation.

    Raises:
        NotFound: there is none of this id.
    """
    found = next((one for one in group_rows.list_groups(tx, caller.organisation_id) if one.id == group_id), None)
    if found is None:
        raise NotFound(f"there is no group {group_id[:64]!r}")
    return found


def write_person(tx: Tx, house: House, caller: Caller, said: Json, member_id: str | None = None) -> Member:
    """Make a member, or make one what is said of them; their role comes from their groups alone.

    Raises:
        BadRequest: what is said is no user.
        NotFound: there is nobody of this id.
        Conflict: the user name is taken, or the last owner would go.
    """
    user_name = text_of(said, "userName")
    if user_name is None:
        raise BadRequest("userName is missing", param="userName", code="invalidValue")
    others = (one.user_name.lower() for one in people_of(tx, caller) if one.user_name and one.id != member_id)
    if user_name.lower() in others:
        raise Conflict(f"there is a user {user_name!r} already", param="userName", code="uniqueness")
    kept, now_ms = kept_of(said), house.clock.now_ms()
    name, external_id = name_of(said, user_name), text_of(said, "externalId")
    if member_id is None:
        state = member_rows.INVITED if is_active(said) else member_rows.DISABLED
        member = Member(
            id=make_id("member", now_ms, house.entropy),
            organisation_id=caller.organisation_id,
            project_id=home_of(tx, caller.organisation_id).id,
            name=name,
            role=DEFAULT_ROLE,
            created_ms=now_ms,
            state=state,
            user_name=user_name,
            external_id=external_id,
        )
        member_rows.add_member(tx, member)
        check_seats(tx, member.project_id, now_ms)
        tell(tx, MemberInvited(member.id, member.role), actor=actor_of(caller), at_ms=now_ms, after=shown(member))
    else:
        before = find_person(tx, caller, member_id)
        state = member_rows.MEMBER.after(before.state, "enable" if is_active(said) else "disable")
        member = dataclasses.replace(before, name=name, user_name=user_name, external_id=external_id, state=state)
        if member != before:
            keep_change(tx, house, caller, before, member)
    group_rows.put_said(tx, member.id, group_rows.Said(kept, now_ms))
    return member


def remove_person(tx: Tx, house: House, caller: Caller, member_id: str) -> None:
    """Remove a member for good; raises as `write_person`."""
    before = find_person(tx, caller, member_id)
    group_rows.leave_groups(tx, before.id)
    group_rows.drop_said(tx, before.id)
    state = member_rows.MEMBER.after(before.state, "remove")
    gone = dataclasses.replace(before, state=state, user_name=None, password=None)
    keep_change(tx, house, caller, before, gone)


def write_group(tx: Tx, house: House, caller: Caller, said: Json, group_id: str | None = None) -> group_rows.Group:
    """Make a group, or make one what is said of it, and give its members the role that their groups have here.

    Raises:
        BadRequest: what is said is no group, or names somebody who is not there.
        NotFound: there is no group of this id.
        Conflict: the name is taken, or the last owner would lose that role.
    """
    name, wanted = text_of(said, "displayName", 200), member_ids(said)
    if name is None:
        raise BadRequest("displayName is missing", param="displayName", code="invalidValue")
    unknown = sorted(wanted - {one.id for one in people_of(tx, caller)})
    if unknown:
        raise BadRequest(f"there is no user {unknown[0][:64]!r}", param="members", code="invalidValue")
    before = None if group_id is None else find_group(tx, caller, group_id)
    now_ms, known = house.clock.now_ms(), group_rows.list_groups(tx, caller.organisation_id)
    group = group_rows.Group(
        id=before.id if before else make_id("group", now_ms, house.entropy),
        organisation_id=caller.organisation_id,
        name=name,
        created_ms=before.created_ms if before else now_ms,
        changed_ms=now_ms,
        external_id=text_of(said, "externalId"),
        members=wanted,
    )
    if before is not None and dataclasses.replace(group, changed_ms=before.changed_ms) == before:
        return before
    group_rows.put_group(tx, group, is_new=before is None)
    what = GroupSet(group.id, group.name, len(group.members))
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms, before=_told(before), after=_told(group))
    follow_groups(tx, house, caller, known)
    return group


def remove_group(tx: Tx, house: House, caller: Caller, group_id: str) -> None:
    """Remove a group; its members lose the role that it gave them. Raises as `write_group`."""
    group, known = find_group(tx, caller, group_id), group_rows.list_groups(tx, caller.organisation_id)
    group_rows.drop_group(tx, group.id)
    tell(tx, GroupRemoved(group.id), actor=actor_of(caller), at_ms=house.clock.now_ms(), before=_told(group))
    follow_groups(tx, house, caller, known)


def _told(group: group_rows.Group | None) -> dict[str, object] | None:
    return None if group is None else {"name": group.name, "members": sorted(group.members)}
