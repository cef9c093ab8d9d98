"""One-time sign-in links and console sessions, kept by digest only."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from primeur.core.errors import NotAuthenticated
from primeur.store.database import Tx
from primeur.store.schema import sessions, sign_in_links


@dataclass(frozen=True, slots=True)
class Session:
    """A member who has signed in.

    Attributes:
        expires_ms: UTC milliseconds.
    """

    digest: bytes
    member_id: str
    created_ms: int
    expires_ms: int


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
    tx.execute(
        insert(sessions).values(
            digest=session.digest,
            member_id=session.member_id,
            created_ms=session.created_ms,
            expires_ms=session.expires_ms,
        )
    )


def remove_session(tx: Tx, digest: bytes) -> bool:
    """Forget a session; tells whether there was one."""
    return tx.execute(delete(sessions).where(sessions.c.digest == digest)).rowcount == 1


def list_sessions(tx: Tx, now_ms: int) -> list[Session]:
    """Give every session that still holds."""
    rows = tx.execute(select(sessions).where(sessions.c.expires_ms > now_ms))
    return [Session(bytes(row.digest), row.member_id, row.created_ms, row.expires_ms) for row in rows]
