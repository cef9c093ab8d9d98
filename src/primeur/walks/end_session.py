"""Sessions: seen, ended, and moved to another project."""

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotFound, NotPermitted
from primeur.core.events import SessionEnded, SessionMoved
from primeur.governance import member_rows
from primeur.governance.sign_in_rows import Session, list_sessions, move_session, remove_session
from primeur.store.database import Tx, tell
from primeur.walks.change_member import find as find_member
from primeur.walks.choose_project import actor_of, check_giving, choose_project
from primeur.walks.house import House


def sessions_of(tx: Tx, house: House, caller: Caller, member: str | None = None) -> list[Session]:
    """Give the caller's own sessions, or those of the members they may see.

    Args:
        member: ``all``, or somebody's name or id; None: the caller's own.

    Raises:
        NotFound: there is no such member for this caller.
        NotPermitted: they are others', and the caller may not see those.
    """
    found = list_sessions(tx, house.clock.now_ms())
    if member is None:
        return [one for one in found if one.member_id == caller.member_id]
    if "sessions:read" not in caller.permissions:
        raise NotPermitted(f"{caller.name!r} may see their own sessions only (sessions:read)")
    if member == "all":
        return [one for one in found if _may_see(tx, caller, one)]
    wanted = find_member(tx, caller, member)
    return [one for one in found if one.member_id == wanted.id]


async def end_session(house: House, caller: Caller, session_id: str) -> Session:
    """End one of the caller's own sessions, or somebody else's.

    Raises:
        NotFound: there is no such session for this caller.
        NotPermitted: it is somebody else's, and the caller may not end those.
    """

    def work(tx: Tx) -> Session:
        now_ms = house.clock.now_ms()
        session = next((one for one in list_sessions(tx, now_ms) if one.id == session_id), None)
        own = session is not None and session.member_id == caller.member_id
        if session is None or not (own or ("sessions:read" in caller.permissions and _may_see(tx, caller, session))):
            raise NotFound(f"there is no session {session_id[:64]!r}")
        if not own:
            if "sessions:write" not in caller.permissions:
                raise NotPermitted(f"{caller.name!r} may end their own sessions only (sessions:write)")
            whose = member_rows.find_member(tx, session.member_id)
            check_giving(tx, caller, whose.organisation_id, whose.role)
        remove_session(tx, session.digest)
        tell(tx, SessionEnded(session.member_id, session.id), actor=actor_of(caller), at_ms=now_ms)
        return session

    return await house.store.transact(work)


async def move_to_project(house: House, caller: Caller, project: str) -> str:
    """Let the session go on in another project of its member; gives the project's id.

    Raises:
        BadRequest: the caller is no session.
        NotFound: the member is not in such a project.
    """
    if caller.session_id is None or caller.member_id is None:
        raise BadRequest("only a session moves; a key stays in its project")
    session_id, member_id = caller.session_id, caller.member_id

    def work(tx: Tx) -> str:
        member = member_rows.find_member(tx, member_id)
        theirs = {place for who, place in member_rows.list_memberships(tx) if who == member.id} | {member.project_id}
        found = _theirs(tx, caller, member, theirs, project)
        move_session(tx, session_id, found)
        tell(tx, SessionMoved(member.id, found), actor=member.id, at_ms=house.clock.now_ms())
        return found

    return await house.store.transact(work)


def _theirs(tx: Tx, caller: Caller, member: member_rows.Member, theirs: set[str], name: str) -> str:
    if name in theirs:
        return name
    found = choose_project(tx, caller, name).id
    if found not in theirs:
        raise NotFound(f"{member.name!r} is not in a project {name!r}")
    return found


def _may_see(tx: Tx, caller: Caller, session: Session) -> bool:
    try:
        find_member(tx, caller, session.member_id)
    except NotFound:
        return False
    return True
