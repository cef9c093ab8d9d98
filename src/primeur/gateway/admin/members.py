"""Members, service accounts, their projects, and the roles they can have."""

from typing import Annotated

import msgspec

from primeur.gateway.admin.page import Page, asked, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance import rules
from primeur.governance.member_rows import Member, list_memberships, list_roles, members_of
from primeur.store.database import Tx
from primeur.walks.change_member import MemberChange, change_member, find, remove_member, set_membership
from primeur.walks.choose_project import choose_organisation
from primeur.walks.invite_member import NewMember, invite_member
from primeur.walks.set_role import NewRole, remove_role, set_role


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A person who signs in, or a service account (*kind* ``service``) that owns keys.

    Attributes:
        state: ``invited``, ``active``, ``disabled`` or ``removed``.
        project_id, role: where they are at home and as what.
        projects: the role in every project they are in, by project id.
    """

    id: str
    name: str
    user_name: str | None
    kind: str
    state: str
    role: str
    project_id: str
    organisation_id: str
    projects: dict[str, str]
    has_password: bool
    created_ms: int


class InvitedView(MemberView, frozen=True, kw_only=True):
    """A new member.

    Attributes:
        path: of their one-time link, shown this once; null for service accounts.
    """

    path: str | None


class MemberQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose members: an organisation by name or id; one's own when not given."""

    organisation: str = ""


class NewMembership(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member shall be in one more project."""

    role: Annotated[str, msgspec.Meta(max_length=64)]


class RoleView(msgspec.Struct, frozen=True, kw_only=True):
    """What a role may do; *own*: the organisation made it."""

    name: str
    permissions: list[str]
    own: bool


class RolesView(msgspec.Struct, frozen=True, kw_only=True):
    """Every role of an organisation, and what each permission means."""

    data: list[RoleView]
    permissions: dict[str, str]


def show_member(member: Member, memberships: dict[tuple[str, str], str]) -> MemberView:
    """Write a member for the API."""
    more = {place: role for (who, place), role in memberships.items() if who == member.id}
    same = (
        "id", "name", "user_name", "kind", "state", "role", "project_id", "organisation_id", "created_ms",
    )  # fmt: skip
    return MemberView(
        projects={member.project_id: member.role} | more,
        has_password=member.password is not None,
        **{name: getattr(member, name) for name in same},
    )


async def list_members(visit: Visit) -> Answer:
    """``GET /api/v1/members``."""
    query, caller = asked(visit, MemberQuery), visit.caller

    def read(tx: Tx) -> list[MemberView]:
        organisation = choose_organisation(tx, caller, query.organisation or None)
        known = list_memberships(tx)
        return [
            show_member(one, known)
            for one in members_of(tx, organisation.id)
            if rules.may_see(caller, one.organisation_id, one.project_id)
        ]

    return json_answer(Page(await visit.house.store.read(read)))


async def get_member(visit: Visit) -> Answer:
    """``GET /api/v1/members/{member}``: by id, name or user name."""
    return json_answer(await _shown(visit, visit.params["member"]))


async def post_member(visit: Visit) -> Answer:
    """``POST /api/v1/members``."""
    made = await invite_member(visit.house, visit.caller, visit.read(NewMember))
    path = None if made.link is None else f"/sign-in/{made.link}"
    return await in_force(visit, InvitedView(path=path, **msgspec.structs.asdict(show_member(made.member, {}))), 201)


async def patch_member(visit: Visit) -> Answer:
    """``PATCH /api/v1/members/{member}``."""
    changed = await change_member(visit.house, visit.caller, visit.params["member"], visit.read(MemberChange))
    return await in_force(visit, await _shown(visit, changed.id))


async def delete_member(visit: Visit) -> Answer:
    """``DELETE /api/v1/members/{member}``."""
    gone = await remove_member(visit.house, visit.caller, visit.params["member"])
    return await in_force(visit, show_member(gone, {}))


async def put_membership(visit: Visit) -> Answer:
    """``PUT /api/v1/members/{member}/projects/{project}``."""
    role = visit.read(NewMembership).role
    found = await set_membership(visit.house, visit.caller, visit.params["member"], visit.params["project"], role)
    return await in_force(visit, await _shown(visit, found.id))


async def delete_membership(visit: Visit) -> Answer:
    """``DELETE /api/v1/members/{member}/projects/{project}``."""
    found = await set_membership(visit.house, visit.caller, visit.params["member"], visit.params["project"], None)
    return await in_force(visit, await _shown(visit, found.id))


async def list_all_roles(visit: Visit) -> Answer:
    """``GET /api/v1/roles``."""
    organisation_id = visit.caller.organisation_id

    def read(tx: Tx) -> list[RoleView]:
        own = list_roles(tx).get(organisation_id, {})
        return [
            RoleView(name=name, permissions=sorted(granted), own=name in own)
            for name, granted in [*rules.roles.items(), *own.items()]
        ]

    return json_answer(RolesView(data=await visit.house.store.read(read), permissions=rules.PERMISSIONS))


async def put_role(visit: Visit) -> Answer:
    """``PUT /api/v1/roles/{role}``."""
    name = visit.params["role"]
    granted = await set_role(visit.house, visit.caller, name, visit.read(NewRole))
    return await in_force(visit, RoleView(name=name, permissions=sorted(granted), own=True))


async def delete_role(visit: Visit) -> Answer:
    """``DELETE /api/v1/roles/{role}``."""
    await remove_role(visit.house, visit.caller, visit.params["role"])
    return await in_force(visit, RoleView(name=visit.params["role"], permissions=[], own=True))


async def _shown(visit: Visit, name: str) -> MemberView:
    def read(tx: Tx) -> MemberView:
        return show_member(find(tx, visit.caller, name), list_memberships(tx))

    return await visit.house.store.read(read)


_ONE, _IN = "/api/v1/members/{member}", "/api/v1/members/{member}/projects/{project}"
DOORS = (
    Door(
        "GET", "/api/v1/members", list_members, "List members and service accounts", "members:read", face="admin",
        takes=MemberQuery, gives=Page[MemberView],
    ),
    Door(
        "POST", "/api/v1/members", post_member, "Invite a member, or make a service account", "members:write",
        tells="MemberInvited", face="admin", takes=NewMember, gives=InvitedView, status=201,
    ),
    Door("GET", _ONE, get_member, "Show a member", "members:read", face="admin", gives=MemberView),
    Door(
        "PATCH", _ONE, patch_member, "Change, disable or enable a member", "members:write", tells="MemberChanged",
        face="admin", takes=MemberChange, gives=MemberView,
    ),
    Door(
        "DELETE", _ONE, delete_member, "Remove a member", "members:write", tells="MemberChanged", face="admin",
        gives=MemberView,
    ),
    Door(
        "PUT", _IN, put_membership, "Let a member be in one more project", "members:write", tells="MembershipSet",
        face="admin", takes=NewMembership, gives=MemberView,
    ),
    Door(
        "DELETE", _IN, delete_membership, "Take a member out of a project", "members:write", tells="MembershipSet",
        face="admin", gives=MemberView,
    ),
    Door("GET", "/api/v1/roles", list_all_roles, "List roles and permissions", "members:read", face="admin",
         gives=RolesView),
    Door(
        "PUT", "/api/v1/roles/{role}", put_role, "Make or change a role", "roles:write", tells="RoleSet",
        face="admin", takes=NewRole, gives=RoleView,
    ),
    Door(
        "DELETE", "/api/v1/roles/{role}", delete_role, "Give a role up", "roles:write", tells="RoleRemoved",
        face="admin", gives=RoleView,
    ),
)  # fmt: skip
