"""The ledger as people read it: transactions newest first, an account's running balance, balances at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select

from primeur.core.errors import BadRequest
from primeur.ledger.rows import Posted, balance, read
from primeur.ledger.rules.entries import REQUESTS, Account
from primeur.store.database import Tx
from primeur.store.schema import accounts, legs, transactions

MOST = 500


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None matches everything.

    Attributes:
        account: an account's whole name, or its beginning before a colon: ``Income`` is all of ``Income:...``.
        text: part of the key or the text; capitals do not matter.
        from_ms, to_ms: UTC milliseconds; *to_ms* is not included.
        before: a transaction's number; only older ones.
        limit: transactions of a page, at most 500.
    """

    account: str | None = None
    currency: str | None = None
    book: str = REQUESTS
    kind: str | None = None
    text: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    before: int | None = None
    limit: int = 50


def search_transactions(tx: Tx, search: Search) -> tuple[list[Posted], int | None]:
    """Give a page of transactions, newest first, and the number before which the next page begins; None: the last.

    Raises:
        BadRequest: the page is too long.
    """
    if not 1 <= search.limit <= MOST:
        raise BadRequest(f"limit must be 1 to {MOST}, not {search.limit}", param="limit")
    numbers = _numbers(tx, search)
    page = numbers[: search.limit]
    found = [posted for number in page for posted in read(tx, after=number - 1, most=1)]
    return found, page[-1] if len(numbers) > search.limit else None


def balance_after(tx: Tx, account: Account, number: int) -> int:
    """Give an account's balance when transaction *number* had been posted, in the unit of its book."""
    c = accounts.c
    ids = select(c.id).where(c.name == account.name, c.currency == account.currency, c.book == account.book)
    # What came after is little where people look: at the newest.
    later = select(func.sum(legs.c.amount)).where(legs.c.account_id.in_(_ids(tx, ids)), legs.c.number > number)
    return balance(tx, account) - int(tx.execute(later).scalar() or 0)


def running(found: Sequence[Posted], account: Account, newest: int) -> list[int]:
    """Give the account's balance after each of *found*, newest first, where it is *newest* after the first."""
    balances = []
    for posted in found:
        balances.append(newest)
        newest -= sum(amount for one, amount in posted.entry.legs if one == account)
    return balances


def balances_before(tx: Tx, at_ms: int) -> list[tuple[Account, int]]:
    """Give the balances of all that happened before a moment; accounts at zero are left out."""
    a = accounts.c
    total = func.sum(legs.c.amount)
    joined = legs.join(transactions, transactions.c.number == legs.c.number).join(accounts, a.id == legs.c.account_id)
    query = select(a.name, a.currency, a.book, total).select_from(joined).where(transactions.c.at_ms < at_ms)
    query = query.group_by(a.name, a.currency, a.book).having(total != 0).order_by(a.book, a.name, a.currency)
    return [(Account(*row[:3]), int(row[3])) for row in tx.execute(query)]


def _numbers(tx: Tx, search: Search) -> list[int]:
    """Numbers of a page and one more, newest first."""
    if search.account is None:
        query = _filtered(select(transactions.c.number), search).order_by(transactions.c.number.desc())
        return list(tx.execute(query.limit(search.limit + 1)).scalars())
    a = accounts.c
    named = or_(a.name == search.account, a.name.startswith(f"{search.account}:", autoescape=True))
    wanted = select(a.id).where(named, a.book == search.book)
    if search.currency is not None:
        wanted = wanted.where(a.currency == search.currency)
    # Each account's index gives its newest at once; over several of them all would have to be sorted.
    found = {number for one in _ids(tx, wanted) for number in tx.execute(newest_of(one, search)).scalars()}
    return sorted(found, reverse=True)[: search.limit + 1]


def newest_of(account_id: int, search: Search) -> Select[Any]:
    """Give the query for the newest transactions of one account, a page and one more."""
    number = legs.c.number
    query = select(number).distinct().where(legs.c.account_id == account_id)
    if search.before is not None:
        query = query.where(number < search.before)
    if search.kind or search.text or search.from_ms is not None or search.to_ms is not None:
        query = _filtered(query.join(transactions, transactions.c.number == number), search)
    return query.order_by(number.desc()).limit(search.limit + 1)


def _filtered(query: Select[Any], search: Search) -> Select[Any]:
    c = transactions.c
    if search.kind is not None:
        query = query.where(c.kind == search.kind)
    if search.text:
        query = query.where(or_(*(column.icontains(search.text, autoescape=True) for column in (c.key, c.text))))
    if search.from_ms is not None:
        query = query.where(c.at_ms >= search.from_ms)
    if search.to_ms is not None:
        query = query.where(c.at_ms < search.to_ms)
    return query if search.before is None else query.where(c.number < search.before)


def _ids(tx: Tx, wanted: Select[Any]) -> list[int]:
    return list(tx.execute(wanted).scalars())
