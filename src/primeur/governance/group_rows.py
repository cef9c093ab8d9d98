"""Groups that an identity provider keeps here, who is in them, and what it says of people."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from primeur.core.errors import Conflict
from primeur.store.database import Tx
from primeur.store.schema import group_members, groups, members, scim_users


@dataclass(frozen=True, slots=True)
class Group:
    """A group; *members* are ids."""

    id: str
    organisation_id: str
    name: str
    created_ms: int
    changed_ms: int
    external_id: str | None = None
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Said:
    """What an identity provider says of a person beyond what a member has, as JSON."""

    document: str
    changed_ms: int


def list_groups(tx: Tx, organisation_id: str) -> list[Group]:
    """Give the groups of an organisation, oldest first."""
    ours = groups.c.organisation_id == organisation_id
    within: dict[str, set[str]] = {}
    for row in tx.execute(select(group_members).join(groups, groups.c.id == group_members.c.group_id).where(ours)):
        within.setdefault(row.group_id, set()).add(row.member_id)
    return [
        Group(
            row.id,
            row.organisation_id,
            row.name,
            row.created_ms,
            row.changed_ms,
            row.external_id,
            frozenset(within.get(row.id, ())),
        )
        for row in tx.execute(select(groups).where(ours).order_by(groups.c.created_ms, groups.c.id))
    ]


def groups_by_member(found: Iterable[Group]) -> dict[str, list[Group]]:
    """Give the groups that each member is in, by the member's id."""
    theirs: dict[str, list[Group]] = {}
    for group in found:
        for member_id in group.members:
            theirs.setdefault(member_id, []).append(group)
    return theirs


def put_group(tx: Tx, group: Group, *, is_new: bool) -> None:
    """Keep a group, new or changed, and who is in it.

    Raises:
        Conflict: the organisation has a group of this name.
    """
    values = {"name": group.name, "external_id": group.external_id, "changed_ms": group.changed_ms}
    new = {"id": group.id, "organisation_id": group.organisation_id, "created_ms": group.created_ms}
    statement = (
        insert(groups).values(**new, **values)
        if is_new
        else update(groups).where(groups.c.id == group.id).values(values)
    )
    try:
        with tx.begin_nested():
            tx.execute(statement)
    except IntegrityError:
        raise Conflict(f"there is a group {group.name!r} already", param="displayName", code="uniqueness") from None
    tx.execute(delete(group_members).where(group_members.c.group_id == group.id))
    if group.members:
        lines = [{"group_id": group.id, "member_id": one} for one in sorted(group.members)]
        tx.execute(insert(group_members), lines)


def drop_group(tx: Tx, group_id: str) -> None:
    """Forget a group."""
    tx.execute(delete(group_members).where(group_members.c.group_id == group_id))
    tx.execute(delete(groups).where(groups.c.id == group_id))


def read_said(tx: Tx, organisation_id: str) -> dict[str, Said]:
    """Give what is said of an organisation's people, by member."""
    ours = select(scim_users).join(members, members.c.id == scim_users.c.member_id)
    found = tx.execute(ours.where(members.c.organisation_id == organisation_id))
    return {row.member_id: Said(row.document, row.changed_ms) for row in found}


def put_said(tx: Tx, member_id: str, said: Said) -> None:
    """Keep what is said of a person."""
    drop_said(tx, member_id)
    tx.execute(insert(scim_users).values(member_id=member_id, document=said.document, changed_ms=said.changed_ms))


def drop_said(tx: Tx, member_id: str) -> None:
    """Forget what was said of a person."""
    tx.execute(delete(scim_users).where(scim_users.c.member_id == member_id))


def leave_groups(tx: Tx, member_id: str) -> None:
    """Take a member out of every group."""
    tx.execute(delete(group_members).where(group_members.c.member_id == member_id))
