"""Make somebody a member, or make a service account: an identity that owns keys and signs in nowhere."""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import MemberInvited, SignInLinkMade
from primeur.core.ids import make_id
from primeur.governance import member_rows, rules
from primeur.governance.sign_in_rows import add_link
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of, check_giving, choose_project
from primeur.walks.house import House
from primeur.walks.take_seat import check_seats

INVITATION_LIFE_MS = 7 * 24 * 3_600_000
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
UserName = Annotated[str, msgspec.Meta(min_length=1, max_length=254, pattern=r"^[^\x00-\x20\x7f]+$")]


class NewMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who shall be a member.

    Attributes:
        user_name: what they sign in with, such as an e-mail address.
        project: where they are at home, by name or id; the caller's own when not given.
        kind: ``person``, or ``service`` for a service account.
    """

    name: Name
    role: str = "member"
    user_name: UserName | None = None
    project: str | None = None
    kind: Literal["person", "service"] = "person"


@dataclass(frozen=True, slots=True)
class Invited:
    """A new member, and the text of their invitation; service accounts have none."""

    member: member_rows.Member
    link: str | None


async def invite_member(house: House, caller: Caller, ask: NewMember) -> Invited:
    """Make a member with a one-time link of seven days, and tell it; raises as `write_member`."""

    def work(tx: Tx) -> Invited:
        project = choose_project(tx, caller, ask.project)
        check_giving(tx, caller, project.organisation_id, ask.role)
        person = ask.kind == "person"
        if ask.user_name is not None and not person:
            raise BadRequest("a service account does not sign in; leave user_name out", param="user_name")
        now_ms = house.clock.now_ms()
        member = member_rows.Member(
            id=make_id("member", now_ms, house.entropy),
            organisation_id=project.organisation_id,
            project_id=project.id,
            name=ask.name,
            role=ask.role,
            created_ms=now_ms,
            kind=ask.kind,
            state=member_rows.INVITED if person else member_rows.ACTIVE,
            user_name=ask.user_name,
        )
        member_rows.add_member(tx, member)
        check_seats(tx, member.project_id, now_ms)
        tell(tx, MemberInvited(member.id, member.role), actor=actor_of(caller), at_ms=now_ms, after=shown(member))
        return Invited(member, make_link(tx, house, caller, member, INVITATION_LIFE_MS) if person else None)

    return await house.store.transact(work)


def make_link(tx: Tx, house: House, caller: Caller, member: member_rows.Member, life_ms: int) -> str:
    """Make a one-time link for a member, tell it, and give its text."""
    now_ms = house.clock.now_ms()
    text = rules.spell(rules.LINK_PREFIX, house.entropy)
    add_link(tx, rules.digest_key(text, house.place.pepper), member.id, now_ms + life_ms)
    tell(tx, SignInLinkMade(member.id), actor=actor_of(caller), at_ms=now_ms)
    return text


def shown(member: member_rows.Member) -> dict[str, str | None]:
    """Give what the event log keeps of a member; no secrets."""
    names = ("name", "user_name", "role", "state", "kind", "project_id")
    return {name: getattr(member, name) for name in names}
