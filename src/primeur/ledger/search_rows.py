"""The ledger as people read it: transactions newest first, an account's running balance, balances at a moment."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from primeur.core.errors import BadRequest
from primeur.ledger.rows import Posted, balance, read
from primeur.ledger.rules.entries import PAGE, REQUESTS, Account
from primeur.store.database import Tx
from primeur.store.schema import account_pages, accounts, legs, transactions

MOST = 500
# One account, or the query for several.
_Whose = int | Select[Any]


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
    a, page = accounts.c, number // PAGE
    which = select(a.id).where(a.name == account.name, a.currency == account.currency, a.book == account.book)
    account_id = tx.execute(which).scalar()
    # What came after is little where people look: at the newest.
    p, leg = account_pages.c, legs.c
    pages = select(func.sum(p.amount)).where(p.account_id == account_id, p.page > page)
    rest = select(func.sum(leg.amount)).where(leg.number > number, leg.number < (page + 1) * PAGE)
    rest = rest.where(leg.account_id == account_id)
    return balance(tx, account) - sum(int(tx.execute(query).scalar() or 0) for query in (pages, rest))


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
    ids = list(tx.execute(wanted.limit(2)).scalars())
    whose: _Whose = ids[0] if len(ids) == 1 else wanted
    numbers: list[int] = []
    with closing(tx.execute(pages_of(whose, search.before)).scalars()) as pages:
        for page in pages:
            numbers += tx.execute(newest_of(whose, page, search)).scalars()
            if len(numbers) > search.limit:
                break
    return numbers[: search.limit + 1]


def pages_of(whose: _Whose, before: int | None) -> Select[Any]:
    """Give the query for the pages of the chain on which accounts stand, newest first."""
    c = account_pages.c
    query = select(c.page).order_by(c.page.desc()).execution_options(yield_per=100)
    if before is not None:
        query = query.where(c.page <= (before - 1) // PAGE)
    if isinstance(whose, int):
        return query.where(c.account_id == whose)
    # Some account of many is on nearly every page: "+ 0" has the pages read in their order instead of sorted.
    return query.where((c.account_id + 0).in_(whose)).distinct()


def newest_of(whose: _Whose, page: int, search: Search) -> Select[Any]:
    """Give the query for the newest transactions of accounts on a page of the chain, as many as a search wants."""
    number = legs.c.number
    query = select(number).distinct().where(number >= page * PAGE, number < (page + 1) * PAGE)
    query = query.where(_is(legs.c.account_id, whose))
    if search.before is not None:
        query = query.where(number < search.before)
    if search.kind or search.text or search.from_ms is not None or search.to_ms is not None:
        query = _filtered(query.join(transactions, transactions.c.number == number), search)
    return query.order_by(number.desc()).limit(search.limit + 1)


def _is(column: ColumnElement[int], whose: _Whose) -> ColumnElement[bool]:
    return column == whose if isinstance(whose, int) else column.in_(whose)


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
