"""Prove the ledger: the chain holds, every transaction sums to zero, balances are what its replay gives."""

from collections.abc import Mapping
from contextlib import closing

import msgspec

from primeur.core.errors import BadRequest
from primeur.ledger import rows
from primeur.ledger.rules.entries import FIRST_HASH, PAGE, Account, chained, check_entry
from primeur.store.database import Tx


class WrongTransaction(msgspec.Struct, frozen=True):
    """The first transaction that is not as it was posted, and why."""

    number: int
    key: str
    fault: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        ok: nothing is wrong.
        transactions: how many were looked at.
        head: hash of the last one, hexadecimal; keep it elsewhere to prove later that nothing was cut off.
        first_wrong: null when chain and sums hold.
        wrong_balances: accounts whose balance, or whose sum on a page of the chain, is not what their legs sum to.
    """

    ok: bool
    transactions: int
    head: str
    first_wrong: WrongTransaction | None = None
    wrong_balances: list[str] = []


def prove(tx: Tx) -> Proof:
    """Read the whole ledger and compare it with itself; stops at the first wrong transaction."""
    sums: dict[Account, int] = {}
    page, moved, wrong = 0, dict[Account, int](), set[Account]()
    previous, count = FIRST_HASH, 0
    with closing(rows.read(tx)) as stored:
        for posted in stored:
            fault = _fault(posted, previous, count + 1)
            if fault is not None:
                named = WrongTransaction(posted.number, posted.entry.key, fault)
                return Proof(ok=False, transactions=count + 1, head=previous.hex(), first_wrong=named)
            if posted.number // PAGE != page:
                wrong |= _differing(moved, rows.list_page(tx, page))
                page, moved = posted.number // PAGE, {}
            for account, amount in posted.entry.legs:
                sums[account] = sums.get(account, 0) + amount
                moved[account] = moved.get(account, 0) + amount
            previous, count = posted.hash, count + 1
    wrong |= _differing(moved, rows.list_page(tx, page)) | _differing(sums, dict(rows.list_balances(tx)))
    names = [f"{one.book} {one.name} {one.currency}" for one in sorted(wrong)]
    return Proof(ok=not names, transactions=count, head=previous.hex(), wrong_balances=names)


def _differing(replayed: Mapping[Account, int], kept: Mapping[Account, int]) -> set[Account]:
    return {one for one in replayed.keys() | kept.keys() if replayed.get(one, 0) != kept.get(one, 0)}


def _fault(posted: rows.Posted, previous: bytes, number: int) -> str | None:
    if posted.number != number:
        return f"transaction {number} is missing before it"
    try:
        check_entry(posted.entry)
    except BadRequest as error:
        return error.message
    if chained(previous, number, posted.entry) != posted.hash:
        return "its hash is not that of what it says: it, or the hash before it, was changed"
    return None
