"""Projects, sign-in links, and who is asking."""

import msgspec

from primeur.gateway.admin.page import LimitsView, Page, in_force, show_limits
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance import rows
from primeur.governance.member_rows import find_member, list_memberships
from primeur.store.database import Tx
from primeur.walks.choose_project import choose_project, visible_projects
from primeur.walks.create_project import NewProject, ProjectChange, change_project, create_project
from primeur.walks.sign_in import make_sign_in_link


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """A project.

    Attributes:
        keeps_prompts: prompts and answers are kept in the request log.
    """

    id: str
    organisation_id: str
    name: str
    keeps_prompts: bool
    limits: LimitsView
    created_ms: int


class NewLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom a sign-in link is; by default for whoever asks, or the owner."""

    member: str | None = None


class LinkView(msgspec.Struct, frozen=True):
    """A sign-in link, shown this once.

    Attributes:
        path: to be put after the console's address; works once, for 24 hours.
    """

    path: str


class MeView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking, and what they may do; *projects*: those that a member who is signed in can go on in."""

    key_id: str
    name: str
    member_id: str | None
    session_id: str | None
    projects: list[ProjectView]
    project: ProjectView
    organisation_id: str
    permissions: list[str]
    deployments: list[str] | None
    limits: dict[str, LimitsView]
    expires_ms: int | None


def _show(project: rows.Project) -> ProjectView:
    return ProjectView(
        id=project.id,
        organisation_id=project.organisation_id,
        name=project.name,
        keeps_prompts=project.keeps_prompts,
        limits=show_limits(project.limits),
        created_ms=project.created_ms,
    )


async def get_me(visit: Visit) -> Answer:
    """``GET /api/v1/me``."""
    caller = visit.caller

    def read(tx: Tx) -> tuple[rows.Project, list[rows.Project]]:
        project = rows.find_project(tx, caller.project_id)
        theirs = {place for who, place in list_memberships(tx) if who == caller.member_id}
        if caller.member_id is not None:
            theirs.add(find_member(tx, caller.member_id).project_id)
        return project, [one for one in rows.list_projects(tx) if one.id in theirs] or [project]

    project, projects = await visit.house.store.read(read)
    return json_answer(
        MeView(
            key_id=caller.key_id,
            name=caller.name,
            member_id=caller.member_id,
            session_id=caller.session_id,
            projects=[_show(one) for one in projects],
            project=_show(project),
            organisation_id=caller.organisation_id,
            permissions=sorted(caller.permissions),
            deployments=None if caller.deployments is None else sorted(caller.deployments),
            limits={gate.scope: show_limits(gate.limits) for gate in caller.gates},
            expires_ms=caller.expires_ms,
        )
    )


async def list_projects(visit: Visit) -> Answer:
    """``GET /api/v1/projects``."""
    found = await visit.house.store.read(lambda tx: visible_projects(tx, visit.caller))
    return json_answer(Page([_show(one) for one in found]))


async def get_project(visit: Visit) -> Answer:
    """``GET /api/v1/projects/{project}``: by id or name."""
    name = visit.params["project"]
    return json_answer(_show(await visit.house.store.read(lambda tx: choose_project(tx, visit.caller, name))))


async def post_project(visit: Visit) -> Answer:
    """``POST /api/v1/projects``."""
    made = await create_project(visit.house, visit.caller, visit.read(NewProject))
    return await in_force(visit, _show(made), 201)


async def patch_project(visit: Visit) -> Answer:
    """``PATCH /api/v1/projects/{project}``."""
    change = visit.read(ProjectChange)
    return await in_force(
        visit, _show(await change_project(visit.house, visit.caller, visit.params["project"], change))
    )


async def post_link(visit: Visit) -> Answer:
    """``POST /api/v1/sign-in-links``."""
    text = await make_sign_in_link(visit.house, visit.caller, visit.read(NewLink).member)
    return json_answer(LinkView(f"/sign-in/{text}"), 201)


_ONE = "/api/v1/projects/{project}"
DOORS = (
    Door("GET", "/api/v1/me", get_me, "Show who is asking", "account:read", face="admin", gives=MeView),
    Door(
        "GET", "/api/v1/projects", list_projects, "List projects", "projects:read", face="admin",
        gives=Page[ProjectView],
    ),
    Door(
        "POST", "/api/v1/projects", post_project, "Add a project", "projects:write", tells="ProjectCreated",
        face="admin", takes=NewProject, gives=ProjectView, status=201,
    ),
    Door("GET", _ONE, get_project, "Show a project", "projects:read", face="admin", gives=ProjectView),
    Door(
        "PATCH", _ONE, patch_project, "Change a project", "projects:write", tells="ProjectChanged", face="admin",
        takes=ProjectChange, gives=ProjectView,
    ),
    Door(
        "POST", "/api/v1/sign-in-links", post_link, "Make a one-time sign-in link", "members:write",
        tells="SignInLinkMade", face="admin", takes=NewLink, gives=LinkView, status=201,
    ),
)  # fmt: skip
