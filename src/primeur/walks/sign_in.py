"""Sign in by a one-time link, and out again."""

from dataclasses import dataclass

from primeur.core.caller import Caller
from primeur.core.events import MemberSignedIn, MemberSignedOut, SignInLinkMade
from primeur.governance import rows, rules
from primeur.governance import sign_in_rows as links
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House

LINK_LIFE_MS = 24 * 3_600_000
SESSION_LIFE_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Opened:
    """A session.

    Attributes:
        text: what the browser keeps as its cookie; stored nowhere.
        age_s: seconds until it ends.
    """

    text: str
    age_s: int
    member: rows.Member


async def make_sign_in_link(house: House, caller: Caller, member: str | None = None) -> str:
    """Make a one-time link for a member (the caller, or else the first owner) and give its text.

    Raises:
        NotFound: there is no such member.
        NotPermitted: the member may do more than the caller.
    """

    def work(tx: Tx) -> str:
        now_ms = house.clock.now_ms()
        wanted = member or caller.member_id
        found = rows.find_member(tx, wanted) if wanted else rows.list_members(tx)[0]
        rules.check_grant(caller, found.role)
        text = rules.spell(rules.LINK_PREFIX, house.entropy)
        links.add_link(tx, rules.digest_key(text, house.place.pepper), found.id, now_ms + LINK_LIFE_MS)
        tell(tx, SignInLinkMade(found.id), actor=actor_of(caller), at_ms=now_ms)
        return text

    return await house.store.transact(work)


async def sign_in(house: House, link: str) -> Opened:
    """Use a link up and open a session.

    Raises:
        NotAuthenticated: the link is unknown, used or too old.
    """

    def work(tx: Tx) -> Opened:
        now_ms, pepper = house.clock.now_ms(), house.place.pepper
        member_id = links.use_link(tx, rules.digest_key(link, pepper), now_ms)
        text = rules.spell(rules.SESSION_PREFIX, house.entropy)
        expires_ms = now_ms + SESSION_LIFE_S * 1000
        links.add_session(tx, links.Session(rules.digest_key(text, pepper), member_id, now_ms, expires_ms))
        tell(tx, MemberSignedIn(member_id), actor=member_id, at_ms=now_ms)
        return Opened(text, SESSION_LIFE_S, rows.find_member(tx, member_id))

    return await house.store.transact(work)


async def sign_out(house: House, session: str) -> None:
    """End a session; ending one that is over is no fault."""

    def work(tx: Tx) -> None:
        digest, now_ms = rules.digest_key(session, house.place.pepper), house.clock.now_ms()
        members = {one.digest: one.member_id for one in links.list_sessions(tx, now_ms)}
        if links.remove_session(tx, digest) and digest in members:
            tell(tx, MemberSignedOut(members[digest]), actor=members[digest], at_ms=now_ms)

    await house.store.transact(work)
