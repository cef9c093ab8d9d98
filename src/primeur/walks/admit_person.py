"""Find the member that a person from an OpenID Connect provider is, or make one, as the settings want it."""

from contextlib import suppress

from primeur.core.caller import Caller
from primeur.core.errors import Conflict, NotAuthenticated
from primeur.core.events import MemberInvited
from primeur.core.ids import make_id
from primeur.governance import member_rows
from primeur.governance.member_rows import Member
from primeur.governance.openid_rows import is_linked, member_of, put_identity
from primeur.governance.openid_rules import Person
from primeur.governance.sign_in_rows import read_settings
from primeur.governance.sign_in_settings import GroupRole, OpenIdConnect, read_document, role_for
from primeur.store.database import Tx, tell
from primeur.walks.change_member import keep_change
from primeur.walks.follow_groups import DEFAULT_ROLE, home_of, placed
from primeur.walks.house import House
from primeur.walks.invite_member import shown
from primeur.walks.take_seat import check_seats

_ACTOR = "openid"


def admit_person(tx: Tx, house: House, organisation_id: str, settings: OpenIdConnect, person: Person) -> Member:
    """Give the member of this organisation that a person is: known by the provider's subject, else by user name.

    Where the settings say what members of groups are and the provider names groups, they decide what the person is,
    and whether they are let in.

    Raises:
        NotAuthenticated: they are no member and nothing makes them one, none of their groups is let in, they were
            disabled, or the user name is that of somebody else at the provider.
    """
    table = read_document(read_settings(tx).get(organisation_id)).groups
    decides = bool(table) and person.groups is not None
    line = role_for(person.groups or (), table)
    if line is None and settings.role:
        line = GroupRole("", settings.role)
    member = _known(tx, organisation_id, settings.issuer, person)
    if line is None and (member is None or decides):
        raise NotAuthenticated(f"{person.user_name!r} is not let in here; ask an administrator for an invitation")
    if member is None:
        member = _add(tx, house, organisation_id, person)
        decides = True
    elif not member.is_here:
        raise NotAuthenticated("this member may not sign in any more; ask whoever runs this house")
    if decides:
        member = _follow(tx, house, member, placed(tx, member, line))
    put_identity(tx, organisation_id, settings.issuer, person.subject, member.id)
    return member


def _known(tx: Tx, organisation_id: str, issuer: str, person: Person) -> Member | None:
    theirs = [one for one in member_rows.members_of(tx, organisation_id) if one.kind == "person"]
    linked = member_of(tx, organisation_id, issuer, person.subject)
    found = next((one for one in theirs if one.id == linked), None)
    if found is not None:
        return found
    name = person.user_name.lower()
    found = next((one for one in theirs if (one.user_name or "").lower() == name), None)
    if found is not None and is_linked(tx, found.id, issuer):
        # An address that the provider has given to somebody else opens nobody's door.
        raise NotAuthenticated(f"{person.user_name!r} is somebody else at the provider; ask an administrator")
    return found


def _add(tx: Tx, house: House, organisation_id: str, person: Person) -> Member:
    now_ms = house.clock.now_ms()
    member = Member(
        id=make_id("member", now_ms, house.entropy),
        organisation_id=organisation_id,
        project_id=home_of(tx, organisation_id).id,
        name=person.name,
        role=DEFAULT_ROLE,
        created_ms=now_ms,
        state=member_rows.INVITED,
        user_name=person.user_name,
    )
    member_rows.add_member(tx, member)
    check_seats(tx, member.project_id, now_ms)
    tell(tx, MemberInvited(member.id, member.role), actor=_ACTOR, at_ms=now_ms, after=shown(member))
    return member


def _follow(tx: Tx, house: House, before: Member, after: Member) -> Member:
    if after == before:
        return before
    provider = Caller(_ACTOR, before.project_id, before.organisation_id, before.role, frozenset())
    # The last owner stays one, and may come in.
    with suppress(Conflict):
        return keep_change(tx, house, provider, before, after)
    return before
