"""Transactions in double entry: accounts, legs that sum to zero, reversal, and the chain of hashes; pure."""

import re
import zlib
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

import msgspec

from primeur.core.errors import BadRequest

REQUESTS, SETTLEMENTS = "requests", "settlements"
SCALES: Mapping[str, int] = {REQUESTS: 9, SETTLEMENTS: 2}
"""Decimal places of each book: nanos for requests, cents for invoices, payments and distributions."""

FIRST_HASH = bytes(32)
PAGE = 1000
"""Transactions of a page of the chain: page *p* has the numbers from ``p * PAGE`` to before ``(p + 1) * PAGE``."""
KINDS = ("Assets", "Liabilities", "Equity", "Income", "Expenses")
SETTLEMENT = "Equity:Settlement"
ROUNDING = "Expenses:Rounding"

_ACCOUNT = re.compile(rf"({'|'.join(KINDS)})(:[A-Z0-9][A-Za-z0-9-]*)+")
_CURRENCY = re.compile("[A-Z]{3}")
_PLAIN = re.compile("[a-z0-9][a-z0-9-]*")
_ID = re.compile("[a-z]+_[0-9a-z]{26}")
_NANOS_PER_CENT = 10 ** (SCALES[REQUESTS] - SCALES[SETTLEMENTS])
_LARGEST = 1 << 63


class Account(NamedTuple):
    """An account, as Beancount names it, in one currency of one book."""

    name: str
    currency: str
    book: str = REQUESTS


Legs = tuple[tuple[Account, int], ...]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A transaction before it is posted.

    Attributes:
        key: idempotency key; the same key twice is one transaction.
        kind: what it is, such as ``usage``, ``invoice``, ``payment``, ``distribution``, ``reversal``.
        at_ms: UTC milliseconds when it happened.
        legs: account and amount in the smallest unit of the account's book; debits positive.
        reverses: key of the transaction that this one takes back.
    """

    key: str
    kind: str
    at_ms: int
    legs: Legs
    text: str = ""
    reverses: str = ""


def account_name(kind: str, *parts: str) -> str:
    """Spell an account's name: ``account_name("Income", "inference", "my-model")`` is ``Income:Inference:My-model``.

    Ids and small letters stay readable; whatever else a name holds is told apart by a checksum.
    """
    return ":".join((kind, *map(_spell, parts)))


def check_entry(entry: Entry) -> None:
    """Refuse what is no transaction.

    Raises:
        BadRequest: unbalanced in a book and currency, fewer than two legs, or an account that is none.
    """
    if len(entry.legs) < 2:
        raise BadRequest(f"transaction {entry.key!r} has {len(entry.legs)} legs; it needs two at least")
    sums: dict[tuple[str, str], int] = {}
    for account, amount in entry.legs:
        check_account(account)
        if abs(amount) >= _LARGEST:
            raise BadRequest(f"transaction {entry.key!r}: {amount} on {account.name} is beyond 64 bits")
        unit = (account.book, account.currency)
        sums[unit] = sums.get(unit, 0) + amount
    for (book, currency), total in sums.items():
        if total:
            raise BadRequest(
                f"transaction {entry.key!r} does not balance: its legs in {currency}, book {book}, sum to {total}; "
                "they must sum to zero"
            )


def check_account(account: Account) -> None:
    """Refuse an account with a wrong name, currency or book.

    Raises:
        BadRequest: says which.
    """
    if _ACCOUNT.fullmatch(account.name) is None or len(account.name) > 500:
        raise BadRequest(
            f"{account.name[:200]!r} is no account; write {', '.join(KINDS)} and parts with a capital, such as "
            "Assets:Bank"
        )
    if _CURRENCY.fullmatch(account.currency) is None:
        raise BadRequest(f"{account.currency[:20]!r} is no currency; write three capitals, ISO 4217")
    if account.book not in SCALES:
        raise BadRequest(f"there is no book {account.book[:20]!r}; there are {', '.join(SCALES)}")


def reversal(entry: Entry, *, key: str, at_ms: int, text: str = "") -> Entry:
    """Give the transaction that takes *entry* back: the same legs with the opposite sign."""
    legs = tuple((account, -amount) for account, amount in entry.legs)
    return Entry(key, "reversal", at_ms, legs, text or f"takes back {entry.key}", entry.key)


def settlement(account: str, currency: str, nanos: int, cents: int) -> Legs:
    """Move *nanos* on an account of the requests' book to *cents* of the settlements' book; the remainder is posted.

    Between the books stands `SETTLEMENT`, which they hold with opposite signs.
    """
    moved = cents * _NANOS_PER_CENT
    rounding = ((Account(ROUNDING, currency), nanos - moved),) if nanos != moved else ()
    return (
        (Account(account, currency), -nanos),
        (Account(SETTLEMENT, currency), moved),
        *rounding,
        (Account(account, currency, SETTLEMENTS), cents),
        (Account(SETTLEMENT, currency, SETTLEMENTS), -cents),
    )


def chained(previous: bytes, number: int, entry: Entry) -> bytes:
    """Give the hash of a transaction: SHA-256 of the hash before it and of all that it says, 32 bytes."""
    said = (number, entry.key, entry.kind, entry.at_ms, entry.text, entry.reverses, entry.legs)
    return sha256(previous + _encode(said)).digest()


_encode = msgspec.json.Encoder().encode


def _spell(part: str) -> str:
    if _PLAIN.fullmatch(part) or _ID.fullmatch(part):
        return part[:1].upper() + part[1:].replace("_", "-")
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in part).strip("-")
    readable = kept[:1].upper() + kept[1:100] or "X"
    return f"{readable}-{zlib.crc32(part.encode()):08x}"
