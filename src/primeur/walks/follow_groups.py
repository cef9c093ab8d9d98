"""Let roles follow groups, where the settings of signing in say what members of a group are."""

import dataclasses

from primeur.core.caller import Caller
from primeur.governance import group_rows, member_rows, rows
from primeur.governance.sign_in_rows import read_settings
from primeur.governance.sign_in_settings import GroupRole, read_document, role_for
from primeur.store.database import Tx
from primeur.walks.change_member import keep_change
from primeur.walks.house import House

DEFAULT_ROLE = "member"


def follow_groups(tx: Tx, house: House, caller: Caller, before: list[group_rows.Group]) -> None:
    """Give those whose groups have changed the role that they have now; nobody else's role is touched.

    Whoever is in no group of the table any more becomes a plain member.

    Args:
        before: the organisation's groups before the change.

    Raises:
        Conflict: the last owner would lose that role.
    """
    table = read_document(read_settings(tx).get(caller.organisation_id)).groups
    if not table:
        return
    old = group_rows.groups_by_member(before)
    new = group_rows.groups_by_member(group_rows.list_groups(tx, caller.organisation_id))
    for member in member_rows.members_of(tx, caller.organisation_id):
        was, now = (role_for({one.name for one in theirs.get(member.id, ())}, table) for theirs in (old, new))
        if was != now:
            after = placed(tx, member, now)
            if after != member:
                keep_change(tx, house, caller, member, after)


def placed(tx: Tx, member: member_rows.Member, line: GroupRole | None) -> member_rows.Member:
    """Give a member as a line of the table wants them; None: a plain member where they are."""
    if line is None:
        return dataclasses.replace(member, role=DEFAULT_ROLE)
    ours = (one for one in rows.list_projects(tx) if one.organisation_id == member.organisation_id)
    home = next((one.id for one in ours if line.project in {one.id, one.name}), member.project_id)
    return dataclasses.replace(member, role=line.role, project_id=home)


def home_of(tx: Tx, organisation_id: str) -> rows.Project:
    """Give the oldest project of an organisation, where new people are at home."""
    ours = [one for one in rows.list_projects(tx) if one.organisation_id == organisation_id]
    return min(ours, key=lambda one: (one.created_ms, one.id))
