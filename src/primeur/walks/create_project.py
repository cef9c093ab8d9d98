"""Add a project, or change what it asks for."""

import dataclasses

from msgspec import UNSET, UnsetType

from primeur.core.caller import Caller
from primeur.core.events import ProjectChanged, ProjectCreated
from primeur.core.ids import make_id
from primeur.governance import rows
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of, choose_project
from primeur.walks.given import given
from primeur.walks.house import House
from primeur.walks.limit_fields import LimitsChange, NewLimits, changed_limits, new_limits


class NewProject(NewLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a project shall be.

    Attributes:
        keeps_prompts: keep prompts and answers in the request log.
    """

    name: str
    keeps_prompts: bool = False


class ProjectChange(LimitsChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; what is not given stays, null takes a limit away."""

    keeps_prompts: bool | UnsetType = UNSET


async def create_project(house: House, caller: Caller, ask: NewProject) -> rows.Project:
    """Add a project and tell it; raises as `write_project`."""
    return await house.store.transact(lambda tx: write_project(tx, house, caller, ask))


async def change_project(house: House, caller: Caller, name: str, change: ProjectChange) -> rows.Project:
    """Change a project's limits and choices.

    Raises:
        NotFound: there is no such project for this caller.
    """
    return await house.store.transact(
        lambda tx: write_project_change(tx, house, caller, choose_project(tx, caller, name), change)
    )


def write_project(tx: Tx, house: House, caller: Caller, ask: NewProject) -> rows.Project:
    """Add a project in a transaction that is open.

    Raises:
        BadRequest: a name that cannot be used.
        Conflict: the name is taken.
    """
    now_ms = house.clock.now_ms()
    project = rows.Project(
        id=make_id("project", now_ms, house.entropy),
        organisation_id=caller.organisation_id,
        name=check_name(ask.name, "project"),
        keeps_prompts=ask.keeps_prompts,
        limits=new_limits(ask),
        created_ms=now_ms,
    )
    rows.add_project(tx, project)
    tell(tx, ProjectCreated(project.id, project.name), actor=actor_of(caller), at_ms=now_ms, after=project)
    return project


def write_project_change(
    tx: Tx, house: House, caller: Caller, project: rows.Project, change: ProjectChange
) -> rows.Project:
    """Change a project in a transaction that is open."""
    changed = dataclasses.replace(
        project,
        keeps_prompts=given(change.keeps_prompts, project.keeps_prompts),
        limits=changed_limits(project.limits, change),
    )
    rows.change_project(tx, changed)
    what = ProjectChanged(changed.id, changed.keeps_prompts)
    tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=project, after=changed)
    return changed
