"""Members, service accounts, what they may do in which project, and the roles that organisations make."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from primeur.core.errors import Conflict, NotFound
from primeur.core.machine import Machine
from primeur.store.database import Tx
from primeur.store.schema import members, memberships, roles

INVITED, ACTIVE, DISABLED, REMOVED = "invited", "active", "disabled", "removed"
MEMBER = Machine(
    "member",
    {
        (INVITED, "sign_in"): ACTIVE,  # Invited: has never signed in.
        (ACTIVE, "sign_in"): ACTIVE,  # Active: may sign in; keys of theirs work.
        (INVITED, "disable"): DISABLED,
        (ACTIVE, "disable"): DISABLED,  # Disabled: neither, until enabled again.
        (DISABLED, "disable"): DISABLED,
        (DISABLED, "enable"): ACTIVE,
        (INVITED, "enable"): INVITED,
        (ACTIVE, "enable"): ACTIVE,
        (INVITED, "remove"): REMOVED,
        (ACTIVE, "remove"): REMOVED,  # Removed: for good; the row stays, so that the log can name them.
        (DISABLED, "remove"): REMOVED,
    },
)


@dataclass(frozen=True, slots=True)
class Member:
    """A person who signs in, or a service account, which owns keys and does not.

    Attributes:
        project_id, role: where a member is at home, and as what; more of them are memberships.
        kind: ``person`` or ``service``.
        state: see `MEMBER`.
        user_name: what they sign in with, such as an e-mail address.
        external_id: what an identity provider calls them.
        password: see `primeur.governance.passwords`.
    """

    id: str
    organisation_id: str
    project_id: str
    name: str
    role: str
    created_ms: int
    kind: str = "person"
    state: str = ACTIVE
    user_name: str | None = None
    external_id: str | None = None
    password: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether what they hold works."""
        return self.state in {INVITED, ACTIVE}


_TAKEN = "somebody signs in with this name already; choose another one"


def add_member(tx: Tx, member: Member) -> None:
    """Keep a new member.

    Raises:
        Conflict: the user name is taken.
    """
    _write(tx, insert(members).values(**{name: getattr(member, name) for name in Member.__slots__}))


def change_member(tx: Tx, member: Member) -> None:
    """Replace everything of a member but its id.

    Raises:
        Conflict: the user name is taken.
    """
    values = {name: getattr(member, name) for name in Member.__slots__ if name != "id"}
    _write(tx, update(members).where(members.c.id == member.id).values(**values))


def set_state(tx: Tx, member_id: str, state: str) -> None:
    """Move a member to another state."""
    tx.execute(update(members).where(members.c.id == member_id).values(state=state))


def set_password(tx: Tx, member_id: str, password: str | None) -> None:
    """Keep the hash of a new password; None: there is none any more."""
    tx.execute(update(members).where(members.c.id == member_id).values(password=password))


def list_members(tx: Tx) -> list[Member]:
    """Give every member of the house, oldest first; removed ones too."""
    found = tx.execute(select(members).order_by(members.c.created_ms, members.c.id))
    return [Member(**{name: getattr(row, name) for name in Member.__slots__}) for row in found]


def members_of(tx: Tx, organisation_id: str) -> list[Member]:
    """Give the members of an organisation, oldest first; not those that were removed."""
    return [one for one in list_members(tx) if one.organisation_id == organisation_id and one.state != REMOVED]


def find_member(tx: Tx, name_or_id: str, organisation_id: str | None = None) -> Member:
    """Give one member by id, name or user name.

    Raises:
        NotFound: there is none.
        Conflict: several are called so.
    """
    everybody = [one for one in list_members(tx) if one.state != REMOVED]
    found = [
        one
        for one in everybody
        if name_or_id in {one.id, one.name, one.user_name} and organisation_id in {None, one.organisation_id}
    ]
    if not found:
        raise NotFound(f"there is no member {name_or_id!r}; `primeur members list` shows those there are")
    if len(found) > 1:
        raise Conflict(f"{len(found)} members are called {name_or_id!r}; use an id")
    return found[0]


def list_memberships(tx: Tx) -> dict[tuple[str, str], str]:
    """Give the role of each membership, by member and project."""
    return {(row.member_id, row.project_id): row.role for row in tx.execute(select(memberships))}


def put_membership(tx: Tx, member_id: str, project_id: str, role: str) -> None:
    """Let a member be in a project as *role*."""
    drop_membership(tx, member_id, project_id)
    tx.execute(insert(memberships).values(member_id=member_id, project_id=project_id, role=role))


def drop_membership(tx: Tx, member_id: str, project_id: str) -> bool:
    """Take a member out of a project; tells whether they were in it."""
    both = (memberships.c.member_id == member_id) & (memberships.c.project_id == project_id)
    return tx.execute(delete(memberships).where(both)).rowcount == 1


def list_roles(tx: Tx) -> dict[str, dict[str, frozenset[str]]]:
    """Give what the roles of each organisation may do, by organisation and name."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for row in tx.execute(select(roles).order_by(roles.c.name)):
        found.setdefault(row.organisation_id, {})[row.name] = frozenset(json.loads(row.permissions))
    return found


def put_role(tx: Tx, organisation_id: str, name: str, permissions: frozenset[str], now_ms: int) -> None:
    """Keep a role, new or changed."""
    drop_role(tx, organisation_id, name)
    granted = json.dumps(sorted(permissions))
    tx.execute(insert(roles).values(organisation_id=organisation_id, name=name, permissions=granted, created_ms=now_ms))


def drop_role(tx: Tx, organisation_id: str, name: str) -> bool:
    """Forget a role; tells whether there was one."""
    this = (roles.c.organisation_id == organisation_id) & (roles.c.name == name)
    return tx.execute(delete(roles).where(this)).rowcount == 1


def _write(tx: Tx, statement: Any) -> None:
    # A savepoint, because PostgreSQL ends the whole transaction at the first refused row.
    try:
        with tx.begin_nested():
            tx.execute(statement)
    except IntegrityError:
        raise Conflict(_TAKEN, param="user_name") from None
