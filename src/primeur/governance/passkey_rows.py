"""Passkeys: what a member's authenticators sign in with."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from primeur.core.errors import NotFound
from primeur.store.database import Tx
from primeur.store.schema import passkeys


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey.

    Attributes:
        credential: what its authenticator calls it.
        public_key: COSE.
        sign_count: signatures made so far, as the authenticator says; 0 where it does not count.
        used_ms: last sign-in.
    """

    id: str
    member_id: str
    name: str
    credential: bytes
    public_key: bytes
    sign_count: int
    created_ms: int
    used_ms: int | None = None


def add_passkey(tx: Tx, passkey: Passkey) -> None:
    """Keep a new passkey."""
    tx.execute(insert(passkeys).values(**{name: getattr(passkey, name) for name in Passkey.__slots__}))


def passkeys_of(tx: Tx, member_id: str) -> list[Passkey]:
    """Give the passkeys of a member, oldest first."""
    theirs = select(passkeys).where(passkeys.c.member_id == member_id)
    return [_read(row) for row in tx.execute(theirs.order_by(passkeys.c.created_ms, passkeys.c.id))]


def find_passkey(tx: Tx, member_id: str, passkey_id: str) -> Passkey:
    """Give one passkey of a member.

    Raises:
        NotFound: they have none of this id.
    """
    found = next((one for one in passkeys_of(tx, member_id) if one.id == passkey_id), None)
    if found is None:
        raise NotFound(f"there is no passkey {passkey_id[:64]!r}")
    return found


def find_credential(tx: Tx, credential: bytes) -> Passkey | None:
    """Give the passkey that an authenticator calls so."""
    row = tx.execute(select(passkeys).where(passkeys.c.credential == credential)).one_or_none()
    return None if row is None else _read(row)


def name_passkey(tx: Tx, passkey_id: str, name: str) -> None:
    """Call a passkey something else."""
    tx.execute(update(passkeys).where(passkeys.c.id == passkey_id).values(name=name))


def note_passkey_use(tx: Tx, passkey: Passkey, sign_count: int, now_ms: int) -> bool:
    """Write down a sign-in; tells whether the count was still the one that was checked."""
    this = (passkeys.c.id == passkey.id) & (passkeys.c.sign_count == passkey.sign_count)
    return tx.execute(update(passkeys).where(this).values(sign_count=sign_count, used_ms=now_ms)).rowcount == 1


def drop_passkey(tx: Tx, passkey_id: str) -> None:
    """Forget a passkey."""
    tx.execute(delete(passkeys).where(passkeys.c.id == passkey_id))


def _read(row: object) -> Passkey:
    found = {name: getattr(row, name) for name in Passkey.__slots__}
    return Passkey(**found | {name: bytes(found[name]) for name in ("credential", "public_key")})
