"""Which project a caller means, and which role they may give, as far as it is theirs to name."""

from primeur.core.caller import Caller
from primeur.core.errors import NotFound
from primeur.governance import member_rows, rows
from primeur.governance.rules import check_grant, may_see, permissions_of
from primeur.store.database import Tx


def choose_project(tx: Tx, caller: Caller, name: str | None) -> rows.Project:
    """Give the named project, or the caller's own; a name is looked for in the caller's organisation first.

    Raises:
        NotFound: there is none, or it is not for this caller to see.
    """
    if name is None or name == caller.project_id:
        return rows.find_project(tx, caller.project_id)
    try:
        project = rows.find_project(tx, name, caller.organisation_id)
    except NotFound:
        project = rows.find_project(tx, name)
    if not may_see(caller, project.organisation_id, project.id):
        raise NotFound(f"there is no project {name!r}; `primeur projects list` shows those there are")
    return project


def choose_organisation(tx: Tx, caller: Caller, name: str | None) -> rows.Organisation:
    """Give the named organisation, or the caller's own.

    Raises:
        NotFound: there is none, or it is not for this caller to see.
    """
    found = rows.find_organisation(tx, name or caller.organisation_id)
    if found.id != caller.organisation_id and "house" not in caller.permissions:
        raise NotFound(f"there is no organisation {name!r}")
    return found


def visible_projects(tx: Tx, caller: Caller) -> list[rows.Project]:
    """Give the projects that this caller may see."""
    return [one for one in rows.list_projects(tx) if may_see(caller, one.organisation_id, one.id)]


def granted_by(tx: Tx, organisation_id: str, role: str) -> frozenset[str]:
    """Give what *role* may do in an organisation.

    Raises:
        BadRequest: it has no such role.
    """
    home = rows.first_organisation(tx)
    custom = member_rows.list_roles(tx).get(organisation_id, {})
    return permissions_of(role, custom, home=home is not None and home.id == organisation_id)


def check_giving(tx: Tx, caller: Caller, organisation_id: str, role: str) -> None:
    """Let *caller* give *role* within an organisation, or change whoever has it.

    Raises:
        BadRequest: it has no such role.
        NotPermitted: the role may do more than the caller.
    """
    check_grant(caller, role, granted_by(tx, organisation_id, role))


def actor_of(caller: Caller) -> str:
    """Give who did it, as the event log writes it down."""
    return caller.member_id or caller.key_id
