"""Wrong attempts to sign in, by digest: every process of the house sees the same ones."""

from collections.abc import Iterable

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from primeur.governance.ban_rules import FORGOTTEN_MS, Tries, after_wrong
from primeur.store.database import Tx
from primeur.store.schema import sign_in_tries


def wait_ms(tx: Tx, digests: Iterable[bytes], now_ms: int) -> int:
    """Milliseconds that these names and addresses have to wait; 0: they may try."""
    table = sign_in_tries.c
    found = tx.execute(select(func.max(table.until_ms)).where(table.digest.in_(list(digests)))).scalar_one()
    return max(0, (found or 0) - now_ms)


def count_wrong(tx: Tx, digest: bytes, whose: str, now_ms: int, *, most: int = 10_000) -> Tries:
    """Count a wrong attempt; those that are an hour old are forgotten, and of *most* the oldest make room."""
    table = sign_in_tries.c
    tx.execute(delete(sign_in_tries).where(table.last_ms < now_ms - FORGOTTEN_MS))
    this = table.digest == digest
    # The database counts, so that two processes at once count two.
    counted = update(sign_in_tries).where(this).values(count=table.count + 1, last_ms=now_ms)
    if tx.execute(counted).rowcount == 0:
        _make_room(tx, most)
        try:
            with tx.begin_nested():
                tx.execute(insert(sign_in_tries).values(digest=digest, count=1, last_ms=now_ms, until_ms=0))
        except IntegrityError:
            tx.execute(counted)
    tries = after_wrong(whose, tx.execute(select(table.count).where(this)).scalar_one(), now_ms)
    tx.execute(update(sign_in_tries).where(this).values(until_ms=tries.until_ms))
    return tries


def forget_tries(tx: Tx, digest: bytes) -> None:
    """Forget the wrong attempts of a name that has been let in."""
    tx.execute(delete(sign_in_tries).where(sign_in_tries.c.digest == digest))


def _make_room(tx: Tx, most: int) -> None:
    table = sign_in_tries.c
    held = tx.execute(select(func.count()).select_from(sign_in_tries)).scalar_one()
    if held >= most:
        oldest = select(table.digest).order_by(table.last_ms).limit(held - most + 1)
        tx.execute(delete(sign_in_tries).where(table.digest.in_(oldest.scalar_subquery())))
