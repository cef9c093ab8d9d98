"""One-time sign-in links and console sessions, kept by digest only; and how an organisation's people sign in."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, update

from primeur.core.errors import NotAuthenticated
from primeur.store.database import Tx
from primeur.store.schema import sessions, sign_in_links, sign_in_settings


@dataclass(frozen=True, slots=True)
class Session:
    """A member who has signed in.

    Attributes:
        expires_ms: UTC milliseconds at which it ends, however much it is used.
        project_id: the project it acts in; None: the member's own.
        method: ``link``, ``password``, ``openid`` or ``passkey``.
        seen_ms: last use, as far as it is written down.
        address, agent: where it was opened, and with what.
    """

    digest: bytes
    member_id: str
    created_ms: int
    expires_ms: int
    id: str = ""
    project_id: str | None = None
    method: str = "link"
    seen_ms: int | None = None
    address: str = ""
    agent: str = ""


def add_link(tx: Tx, digest: bytes, member_id: str, expires_ms: int) -> None:
    """Keep a one-time link."""
    tx.execute(insert(sign_in_links).values(digest=digest, member_id=member_id, expires_ms=expires_ms))


def use_link(tx: Tx, digest: bytes, now_ms: int) -> str:
    """Use a link up and give whose it is.

    Raises:
        NotAuthenticated: unknown, used before or too old.
    """
    links = sign_in_links.c
    fresh = (links.digest == digest) & links.used_ms.is_(None) & (links.expires_ms > now_ms)
    # One statement decides: of two who come at once, the second finds the link used.
    if tx.execute(update(sign_in_links).where(fresh).values(used_ms=now_ms)).rowcount != 1:
        raise NotAuthenticated(
            "this sign-in link was used before or is too old; `primeur sign-in-link` makes a new one"
        )
    return str(tx.execute(select(links.member_id).where(links.digest == digest)).scalar_one())


def add_session(tx: Tx, session: Session) -> None:
    """Keep a session, and forget those past their time."""
    tx.execute(delete(sessions).where(sessions.c.expires_ms <= session.created_ms))
    tx.execute(insert(sessions).values(**{name: getattr(session, name) for name in Session.__slots__}))


def remove_session(tx: Tx, digest: bytes) -> bool:
    """Forget a session; tells whether there was one."""
    return tx.execute(delete(sessions).where(sessions.c.digest == digest)).rowcount == 1


def remove_sessions_of(tx: Tx, member_id: str, *, but: str | None = None) -> int:
    """Forget every session of a member, but the one with this id; gives how many there were."""
    theirs = (sessions.c.member_id == member_id) & (sessions.c.id != (but or ""))
    return tx.execute(delete(sessions).where(theirs)).rowcount


def list_sessions(tx: Tx, now_ms: int) -> list[Session]:
    """Give every session that still holds, newest first."""
    found = tx.execute(select(sessions).where(sessions.c.expires_ms > now_ms).order_by(sessions.c.created_ms.desc()))
    return [
        Session(bytes(row.digest), **{name: getattr(row, name) for name in Session.__slots__ if name != "digest"})
        for row in found
    ]


def move_session(tx: Tx, session_id: str, project_id: str) -> None:
    """Let a session act in another project."""
    tx.execute(update(sessions).where(sessions.c.id == session_id).values(project_id=project_id))


def note_session_use(tx: Tx, seen: Mapping[str, int]) -> None:
    """Write down when sessions were last used, UTC milliseconds by id."""
    if seen:
        change = update(sessions).where(sessions.c.id == bindparam("session")).values(seen_ms=bindparam("at"))
        tx.execute(change, [{"session": session_id, "at": at_ms} for session_id, at_ms in seen.items()])


def read_settings(tx: Tx) -> dict[str, str]:
    """Give how people sign in, as JSON by organisation; those that said nothing are not in it."""
    return {row.organisation_id: row.document for row in tx.execute(select(sign_in_settings))}


def put_settings(tx: Tx, organisation_id: str, document: str) -> None:
    """Keep how an organisation's people sign in."""
    tx.execute(delete(sign_in_settings).where(sign_in_settings.c.organisation_id == organisation_id))
    tx.execute(insert(sign_in_settings).values(organisation_id=organisation_id, document=document))
