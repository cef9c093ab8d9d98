"""Challenges of sign-ins that are under way: kept by digest, for minutes, used once, and never more than a few."""

from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from primeur.core.errors import NotAuthenticated
from primeur.store.database import Tx
from primeur.store.schema import sign_in_challenges

LIFE_MS = 10 * 60_000
_OF_ADDRESS_MOST, _MOST = 30, 10_000


@dataclass(frozen=True, slots=True)
class Challenge:
    """What was asked.

    Attributes:
        kind: ``openid``, ``passkey`` or ``new-passkey``.
        address: who was asked.
        document: what the answer is checked against, as JSON.
    """

    digest: bytes
    kind: str
    address: str
    document: str
    created_ms: int


def add_challenge(tx: Tx, challenge: Challenge) -> None:
    """Keep a challenge for ten minutes; of too many, the oldest of the same address go first."""
    table = sign_in_challenges.c
    tx.execute(delete(sign_in_challenges).where(table.expires_ms <= challenge.created_ms))
    _let_go(tx, table.address == challenge.address, _OF_ADDRESS_MOST)
    _let_go(tx, table.digest.is_not(None), _MOST)
    values = {name: getattr(challenge, name) for name in Challenge.__slots__}
    tx.execute(insert(sign_in_challenges).values(**values, expires_ms=challenge.created_ms + LIFE_MS))


def take_challenge(tx: Tx, digest: bytes, kind: str, now_ms: int) -> Challenge:
    """Use a challenge up.

    Raises:
        NotAuthenticated: there is none, it was used before, or it is too old.
    """
    table = sign_in_challenges.c
    this = (table.digest == digest) & (table.kind == kind) & (table.expires_ms > now_ms)
    row = tx.execute(select(sign_in_challenges).where(this)).one_or_none()
    # Of two who answer at once, one deletes the row.
    if row is None or tx.execute(delete(sign_in_challenges).where(this)).rowcount != 1:
        raise NotAuthenticated("this sign-in was finished before or took too long; begin again")
    return Challenge(bytes(row.digest), row.kind, row.address, row.document, row.created_ms)


def _let_go(tx: Tx, which: object, most: int) -> None:
    table = sign_in_challenges.c
    held = tx.execute(select(func.count()).select_from(sign_in_challenges).where(which)).scalar_one()  # type: ignore[arg-type]
    if held >= most:
        oldest = select(table.digest).where(which).order_by(table.created_ms).limit(held - most + 1)  # type: ignore[arg-type]
        tx.execute(delete(sign_in_challenges).where(table.digest.in_(oldest.scalar_subquery())))
