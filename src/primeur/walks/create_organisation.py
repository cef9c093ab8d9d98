"""Add an organisation to the house: a tenant with a project and an owner, who gets an invitation."""

from dataclasses import dataclass

import msgspec

from primeur.core.caller import Caller, Limits
from primeur.core.events import MemberInvited, OrganisationCreated, ProjectCreated
from primeur.core.ids import make_id
from primeur.governance import member_rows, rows
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.invite_member import INVITATION_LIFE_MS, Name, UserName, make_link, shown


class NewOrganisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What organisation shall be added.

    Attributes:
        owner: the name of its first owner.
        user_name: what the owner signs in with.
    """

    name: str
    owner: Name = "owner"
    user_name: UserName | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A new organisation, and the text of its owner's one-time link."""

    organisation: rows.Organisation
    project: rows.Project
    owner: member_rows.Member
    link: str


async def create_organisation(house: House, caller: Caller, ask: NewOrganisation) -> Added:
    """Add an organisation and tell it.

    Raises:
        BadRequest: a name that cannot be used.
        Conflict: the name is taken.
    """

    def work(tx: Tx) -> Added:
        now_ms, actor = house.clock.now_ms(), actor_of(caller)
        organisation = rows.Organisation(
            make_id("organisation", now_ms, house.entropy), check_name(ask.name, "organisation"), now_ms
        )
        project = rows.Project(
            make_id("project", now_ms, house.entropy), organisation.id, "default", keeps_prompts=False,
            limits=Limits(), created_ms=now_ms,
        )  # fmt: skip
        owner = member_rows.Member(
            make_id("member", now_ms, house.entropy), organisation.id, project.id, ask.owner, "owner", now_ms,
            state=member_rows.INVITED, user_name=ask.user_name,
        )  # fmt: skip
        rows.add_organisation(tx, organisation)
        rows.add_project(tx, project)
        member_rows.add_member(tx, owner)
        tell(tx, OrganisationCreated(organisation.id, organisation.name), actor=actor, at_ms=now_ms)
        tell(tx, ProjectCreated(project.id, project.name), actor=actor, at_ms=now_ms)
        tell(tx, MemberInvited(owner.id, owner.role), actor=actor, at_ms=now_ms, after=shown(owner))
        return Added(organisation, project, owner, make_link(tx, house, caller, owner, INVITATION_LIFE_MS))

    return await house.store.transact(work)
