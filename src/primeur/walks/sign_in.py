"""Sign in by a one-time link, open a session for whoever has proved who they are, and sign out again."""

from dataclasses import dataclass

from primeur.core.caller import Caller
from primeur.core.errors import Conflict, NotAuthenticated
from primeur.core.events import MemberSignedIn, MemberSignedOut
from primeur.core.ids import make_id
from primeur.governance import member_rows, rules
from primeur.governance import sign_in_rows as links
from primeur.governance.sign_in_settings import read_document
from primeur.store.database import Tx, tell
from primeur.store.origin import ORIGIN, Origin
from primeur.walks.change_member import find
from primeur.walks.choose_project import check_giving
from primeur.walks.house import House
from primeur.walks.invite_member import make_link

LINK_LIFE_MS = 24 * 3_600_000
_MINUTE_MS = 60_000
_SESSIONS_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose browser it is that signs in."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session.

    Attributes:
        text: what the browser keeps as its cookie; stored nowhere.
        age_s: seconds until it ends.
    """

    text: str
    age_s: int
    member: member_rows.Member


async def make_sign_in_link(house: House, caller: Caller, member: str | None = None) -> str:
    """Make a one-time link for a member (the caller, or else the first owner) and give its text.

    Raises:
        NotFound: there is no such member for this caller.
        NotPermitted: the member may do more than the caller.
        Conflict: the member is disabled, or a service account.
    """

    def work(tx: Tx) -> str:
        wanted = member or caller.member_id
        found = find(tx, caller, wanted) if wanted else member_rows.members_of(tx, caller.organisation_id)[0]
        check_giving(tx, caller, found.organisation_id, found.role)
        if not found.is_here or found.kind != "person":
            raise Conflict(f"{found.name!r} is {found.state if found.kind == 'person' else 'a service account'}")
        return make_link(tx, house, caller, found, LINK_LIFE_MS)

    return await house.store.transact(work)


async def sign_in(house: House, link: str, visitor: Visitor | None = None) -> Opened:
    """Use a link up and open a session.

    Raises:
        NotAuthenticated: the link is unknown, used or too old, or its member is not here any more.
    """
    who = visitor or Visitor()

    def work(tx: Tx) -> Opened:
        member_id = links.use_link(tx, rules.digest_key(link, house.place.pepper), house.clock.now_ms())
        return open_session(tx, house, member_id, "link", who)

    return await house.store.transact(work)


def open_session(tx: Tx, house: House, member_id: str, method: str, visitor: Visitor) -> Opened:
    """Open a session for a member who has proved who they are, and tell it.

    Raises:
        NotAuthenticated: the member is not here any more.
    """
    now_ms, pepper = house.clock.now_ms(), house.place.pepper
    member = next((one for one in member_rows.list_members(tx) if one.id == member_id), None)
    if member is None or not member.is_here or member.kind != "person":
        raise NotAuthenticated("this member may not sign in any more; ask whoever runs this house")
    active = member_rows.MEMBER.after(member.state, "sign_in")
    if active != member.state:
        member_rows.set_state(tx, member.id, active)
    settings = read_document(links.read_settings(tx).get(member.organisation_id))
    text = rules.spell(rules.SESSION_PREFIX, house.entropy)
    age_ms = settings.most_minutes * _MINUTE_MS
    _make_room(tx, member.id, now_ms)
    session = links.Session(
        digest=rules.digest_key(text, pepper),
        member_id=member.id,
        created_ms=now_ms,
        expires_ms=now_ms + age_ms,
        id=make_id("session", now_ms, house.entropy),
        method=method,
        seen_ms=now_ms,
        address=visitor.address[:64],
        agent=visitor.agent[:200],
    )
    links.add_session(tx, session)
    ORIGIN.set(Origin(visitor.address, "", member.organisation_id))
    tell(tx, MemberSignedIn(member.id), actor=member.id, at_ms=now_ms, after={"method": method})
    return Opened(text, age_ms // 1000, member)


async def sign_out(house: House, session: str) -> str:
    """End a session; ending one that is over is no fault.

    Returns:
        The organisation whose OpenID Connect provider opened it, empty when none did.
    """

    def work(tx: Tx) -> str:
        digest, now_ms = rules.digest_key(session, house.place.pepper), house.clock.now_ms()
        found = next((one for one in links.list_sessions(tx, now_ms) if one.digest == digest), None)
        if found is None or not links.remove_session(tx, digest):
            return ""
        tell(tx, MemberSignedOut(found.member_id), actor=found.member_id, at_ms=now_ms)
        return member_rows.find_member(tx, found.member_id).organisation_id if found.method == "openid" else ""

    return await house.store.transact(work)


def _make_room(tx: Tx, member_id: str, now_ms: int) -> None:
    """Let the oldest sessions of a member go when there are too many."""
    theirs = [one for one in links.list_sessions(tx, now_ms) if one.member_id == member_id]
    for old in theirs[_SESSIONS_LIMIT - 1 :]:
        links.remove_session(tx, old.digest)
