"""Organisations, sessions, and how people sign in."""

import msgspec

from primeur.gateway.admin.page import Gone, Page, asked, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance import member_rows, rows
from primeur.governance.sign_in_rows import Session
from primeur.governance.sign_in_rows import read_settings as list_settings
from primeur.governance.sign_in_settings import SignInSettings, read_document
from primeur.store.database import Tx
from primeur.walks.create_organisation import NewOrganisation, create_organisation
from primeur.walks.end_session import end_session, move_to_project, sessions_of
from primeur.walks.set_sign_in import set_sign_in, shown_settings
from primeur.walks.sign_in_password import NewPassword, change_password


class OrganisationView(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation; the *home* one runs the house."""

    id: str
    name: str
    home: bool
    created_ms: int


class AddedView(OrganisationView, frozen=True, kw_only=True):
    """A new organisation.

    Attributes:
        owner_id: its first owner.
        path: of the owner's one-time link, shown this once.
    """

    project_id: str
    owner_id: str
    path: str


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session of the console; *mine*: the one that asks."""

    id: str
    member_id: str
    member: str
    method: str
    project_id: str | None
    address: str
    agent: str
    created_ms: int
    seen_ms: int | None
    expires_ms: int
    mine: bool


class SessionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose sessions: a member by name or id, or ``all``; one's own when not given."""

    member: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a session shall go on: a project by name or id."""

    project: str


async def list_organisations(visit: Visit) -> Answer:
    """``GET /api/v1/organisations``: every one of the house, or one's own."""
    found = await visit.house.store.read(rows.list_organisations)
    everybody = "house" in visit.caller.permissions
    seen = [_organisation(one) for one in found if everybody or one.id == visit.caller.organisation_id]
    return json_answer(Page(seen))


async def post_organisation(visit: Visit) -> Answer:
    """``POST /api/v1/organisations``."""
    made = await create_organisation(visit.house, visit.caller, visit.read(NewOrganisation))
    view = AddedView(
        project_id=made.project.id, owner_id=made.owner.id, path=f"/sign-in/{made.link}",
        **msgspec.structs.asdict(_organisation(made.organisation)),
    )  # fmt: skip
    return await in_force(visit, view, 201)


async def list_sessions(visit: Visit) -> Answer:
    """``GET /api/v1/sessions``."""
    query = asked(visit, SessionQuery)

    def read(tx: Tx) -> list[SessionView]:
        names = {one.id: one.name for one in member_rows.list_members(tx)}
        found = sessions_of(tx, visit.house, visit.caller, query.member or None)
        return [_session(visit, one, names) for one in found]

    return json_answer(Page(await visit.house.store.read(read)))


async def delete_session(visit: Visit) -> Answer:
    """``DELETE /api/v1/sessions/{session}``: one's own, or somebody else's."""
    ended = await end_session(visit.house, visit.caller, visit.params["session"])
    return await in_force(visit, Gone(ended.id, ended.member_id))


async def post_place(visit: Visit) -> Answer:
    """``POST /api/v1/me/project``: go on in another of one's projects."""
    found = await move_to_project(visit.house, visit.caller, visit.read(Place).project)
    return await in_force(visit, Place(project=found))


async def get_sign_in(visit: Visit) -> Answer:
    """``GET /api/v1/sign-in``."""
    found = await visit.house.store.read(list_settings)
    return json_answer(shown_settings(read_document(found.get(visit.caller.organisation_id))))


async def put_sign_in(visit: Visit) -> Answer:
    """``PUT /api/v1/sign-in``."""
    return await in_force(visit, await set_sign_in(visit.house, visit.caller, visit.read(SignInSettings)))


def _organisation(one: rows.Organisation) -> OrganisationView:
    return OrganisationView(id=one.id, name=one.name, home=one.is_home, created_ms=one.created_ms)


def _session(visit: Visit, one: Session, names: dict[str, str]) -> SessionView:
    seen = [at_ms for at_ms in (one.seen_ms, visit.house.board.seen.get(one.id)) if at_ms is not None]
    same = ("id", "member_id", "method", "project_id", "address", "agent", "created_ms", "expires_ms")
    return SessionView(
        member=names.get(one.member_id, one.member_id),
        seen_ms=max(seen, default=None),
        mine=one.id == visit.caller.session_id,
        **{name: getattr(one, name) for name in same},
    )


async def put_password(visit: Visit) -> Answer:
    """``PUT /api/v1/me/password``."""
    await change_password(visit.house, visit.caller, visit.read(NewPassword))
    return await in_force(visit, Gone(visit.caller.member_id or "", visit.caller.name))


DOORS = (
    Door(
        "PUT", "/api/v1/me/password", put_password, "Set one's own password", "account:read", tells="PasswordChanged",
        face="admin", takes=NewPassword, gives=Gone,
    ),
    Door(
        "GET", "/api/v1/organisations", list_organisations, "List organisations", "account:read", face="admin",
        gives=Page[OrganisationView],
    ),
    Door(
        "POST", "/api/v1/organisations", post_organisation, "Add an organisation with a project and an owner",
        "organisations:write", tells="OrganisationCreated", face="admin", takes=NewOrganisation, gives=AddedView,
        status=201,
    ),
    Door(
        "GET", "/api/v1/sessions", list_sessions, "List sessions, one's own or those of others", "account:read",
        face="admin", takes=SessionQuery, gives=Page[SessionView],
    ),
    Door(
        "DELETE", "/api/v1/sessions/{session}", delete_session, "End a session", "account:read", tells="SessionEnded",
        face="admin", gives=Gone,
    ),
    Door(
        "POST", "/api/v1/me/project", post_place, "Go on in another of one's projects", "account:read",
        tells="SessionMoved", face="admin", takes=Place, gives=Place,
    ),
    Door("GET", "/api/v1/sign-in", get_sign_in, "Show how people sign in", "sign-in:read", face="admin",
         gives=SignInSettings),
    Door(
        "PUT", "/api/v1/sign-in", put_sign_in, "Set how people sign in", "sign-in:write", tells="SignInSet",
        face="admin", takes=SignInSettings, gives=SignInSettings,
    ),
)  # fmt: skip
