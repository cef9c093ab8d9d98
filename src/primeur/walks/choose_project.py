"""Which project a caller means, as far as it is theirs to name."""

from primeur.core.caller import Caller
from primeur.core.errors import NotFound
from primeur.governance import rows
from primeur.governance.rules import visible_project
from primeur.store.database import Tx


def choose_project(tx: Tx, caller: Caller, name: str | None) -> rows.Project:
    """Give the named project, or the caller's own.

    Raises:
        NotFound: there is none, or it is not for this caller to see.
    """
    project = rows.find_project(tx, name or caller.project_id)
    if visible_project(caller) not in {None, project.id}:
        raise NotFound(f"there is no project {name!r} for {caller.name!r}")
    return project


def actor_of(caller: Caller) -> str:
    """Give who did it, as the event log writes it down."""
    return caller.member_id or caller.key_id
