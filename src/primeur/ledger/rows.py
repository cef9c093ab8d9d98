"""Transactions are posted, each once, in a chain; accounts and balances follow."""

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text

from primeur.core.errors import Conflict, NotFound
from primeur.ledger.rules.entries import FIRST_HASH, PAGE, Account, Entry, chained, check_entry
from primeur.store.bulk import insert_rows, merge_rows
from primeur.store.database import Tx
from primeur.store.schema import account_pages, accounts, balances, legs, transactions

_TRANSACTION = ("kind", "text", "reverses", "number", "key", "at_ms", "hash")
_LEG = ("number", "place", "account_id", "amount")
# Asked for every batch: making these statements takes longer than answering them.
_LAST = select(transactions.c.number, transactions.c.hash).order_by(transactions.c.number.desc()).limit(1)
_NAMED = select(accounts).where(accounts.c.name.in_(bindparam("names", expanding=True)))


@dataclass(frozen=True, slots=True)
class Posted:
    """A transaction in the ledger.

    Attributes:
        number: its place in the chain, from 1 without gaps.
        hash: 32 bytes.
    """

    number: int
    entry: Entry
    hash: bytes


def post(tx: Tx, *entries: Entry) -> int:
    """Post transactions in their order; gives how many were new.

    A transaction whose key is known already and says the same is left as it is, so that posting twice is once.

    Raises:
        BadRequest: one is unbalanced or names an account that is none; nothing is posted.
        Conflict: a key is known and says something else, or what is to be reversed has been; nothing is posted.
    """
    for entry in entries:
        check_entry(entry)
    alone(tx)
    fresh = list(_fresh(tx, entries))
    append(tx, fresh)
    return len(fresh)


def append(tx: Tx, entries: Sequence[Entry]) -> None:
    """Append checked transactions whose keys are new; the caller holds the chain (`alone`)."""
    if not entries:
        return
    number, previous = head(tx)
    known = _open_accounts(tx, {account for entry in entries for account, _ in entry.legs})
    rows: list[Any] = []
    parts: list[Any] = []
    pages: dict[int, dict[int, int]] = {}
    for page, written in _by_page(entries, number + 1):
        moved = pages[page] = defaultdict(int)
        for entry in written:
            number += 1
            previous = chained(previous, number, entry)
            rows += (entry.kind, entry.text, entry.reverses, number, entry.key, entry.at_ms, previous)
            for place, (account, amount) in enumerate(entry.legs, 1):
                account_id = known[account]
                parts += (number, place, account_id, amount)
                moved[account_id] += amount
    insert_rows(tx, "transactions", _TRANSACTION, rows)
    insert_rows(tx, "legs", _LEG, parts)
    _move(tx, pages)


def alone(tx: Tx) -> None:
    """Hold the chain until the transaction ends: one writer at a time gives it its next numbers."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("LOCK TABLE transactions IN SHARE ROW EXCLUSIVE MODE"))


def head(tx: Tx) -> tuple[int, bytes]:
    """Give number and hash of the last transaction; 0 and zeros when there is none."""
    row = tx.execute(_LAST).first()
    return (0, FIRST_HASH) if row is None else (int(row.number), bytes(row.hash))


def find(tx: Tx, key: str) -> Posted:
    """Find a transaction by its key.

    Raises:
        NotFound: there is none.
    """
    found = next(read(tx, key=key), None)
    if found is None:
        raise NotFound(f"there is no transaction {key[:200]!r} in the ledger; list those there are")
    return found


def read(
    tx: Tx,
    *,
    key: str | None = None,
    after: int = 0,
    most: int | None = None,
    span: tuple[int, int] | None = None,
) -> Generator[Posted]:
    """Give transactions in the order of the chain, with their legs in order.

    Args:
        after: begin behind this number.
        most: give no more than this.
        span: only what happened then, UTC milliseconds, the second not included.
    """
    chosen = select(transactions).where(transactions.c.number > after).order_by(transactions.c.number)
    if key is not None:
        chosen = chosen.where(transactions.c.key == key)
    if span is not None:
        chosen = chosen.where(transactions.c.at_ms >= span[0], transactions.c.at_ms < span[1])
    if most is not None:
        chosen = chosen.limit(most)
    t = chosen.subquery()
    joined = t.outerjoin(legs, legs.c.number == t.c.number).outerjoin(accounts, accounts.c.id == legs.c.account_id)
    columns = (t, legs.c.place, legs.c.account_id, legs.c.amount, accounts.c.name, accounts.c.currency, accounts.c.book)
    query = select(*columns).select_from(joined).order_by(t.c.number, legs.c.place)
    known: dict[int, Account] = {}
    row: Any = None
    parts: list[tuple[Account, int]] = []
    # Whoever stops in the middle closes the cursor with the generator.
    with tx.execute(query.execution_options(yield_per=2000)) as found:
        for one in found:
            if row is not None and one.number != row.number:
                yield _posted(row, parts)
                parts = []
            row = one
            if one.place is not None:
                account = known.get(one.account_id)
                if account is None:
                    account = known[one.account_id] = Account(one.name or "?", one.currency or "?", one.book or "?")
                parts.append((account, one.amount))
    if row is not None:
        yield _posted(row, parts)


def list_balances(tx: Tx) -> list[tuple[Account, int]]:
    """Give every account with its balance, by book, name and currency."""
    joined = accounts.outerjoin(balances, balances.c.account_id == accounts.c.id)
    query = select(accounts, func.coalesce(balances.c.amount, 0).label("amount")).select_from(joined)
    query = query.order_by(accounts.c.book, accounts.c.name, accounts.c.currency)
    return [(Account(row.name, row.currency, row.book), int(row.amount)) for row in tx.execute(query)]


def list_page(tx: Tx, page: int) -> dict[Account, int]:
    """Give what moved on a page of the chain, by account."""
    joined = account_pages.outerjoin(accounts, accounts.c.id == account_pages.c.account_id)
    query = select(accounts, account_pages.c.amount).select_from(joined).where(account_pages.c.page == page)
    return {Account(row.name or "?", row.currency or "?", row.book or "?"): row.amount for row in tx.execute(query)}


def balance(tx: Tx, account: Account) -> int:
    """Give an account's balance, in its book's unit; 0 when it was never used."""
    c = accounts.c
    query = select(balances.c.amount).join(accounts, c.id == balances.c.account_id)
    query = query.where(c.book == account.book, c.currency == account.currency, c.name == account.name)
    return int(tx.execute(query).scalar() or 0)


def _fresh(tx: Tx, entries: Sequence[Entry]) -> Iterator[Entry]:
    seen: dict[str, Entry] = {}
    taken_back: set[str] = set()
    for entry in entries:
        known = seen.get(entry.key) or next((one.entry for one in read(tx, key=entry.key)), None)
        if known is not None:
            # Whoever tries again may do so later; what was said then counts.
            if (known.kind, known.legs, known.reverses) != (entry.kind, entry.legs, entry.reverses):
                raise Conflict(f"transaction {entry.key!r} is posted already and says something else; choose a new key")
            continue
        if entry.reverses:
            _check_reversal(tx, entry, seen, taken_back)
        seen[entry.key] = entry
        yield entry


def _check_reversal(tx: Tx, entry: Entry, seen: dict[str, Entry], taken_back: set[str]) -> None:
    if entry.reverses not in seen:
        find(tx, entry.reverses)
    query = select(transactions.c.key).where(
        transactions.c.kind == "reversal", transactions.c.reverses == entry.reverses
    )
    if entry.reverses in taken_back or tx.execute(query).first() is not None:
        raise Conflict(f"transaction {entry.reverses!r} was reversed before; a second time would count it twice")
    taken_back.add(entry.reverses)


def _open_accounts(tx: Tx, wanted: set[Account]) -> dict[Account, int]:
    known = {
        Account(row.name, row.currency, row.book): int(row.id)
        for row in tx.execute(_NAMED, {"names": sorted({one.name for one in wanted})})
    }
    missing = sorted(wanted - known.keys())
    if missing:
        last = int(tx.execute(select(func.coalesce(func.max(accounts.c.id), 0))).scalar_one())
        for made, account in enumerate(missing, last + 1):
            known[account] = made
            tx.execute(insert(accounts).values(id=made, **account._asdict()))
            tx.execute(insert(balances).values(account_id=made, amount=0))
    return known


def _by_page(entries: Sequence[Entry], number: int) -> Iterator[tuple[int, Sequence[Entry]]]:
    """Give each page and the entries on it, where the first entry has this number."""
    start = 0
    while start < len(entries):
        page = (number + start) // PAGE
        end = (page + 1) * PAGE - number
        yield page, entries[start:end]
        start = end


def _move(tx: Tx, pages: Mapping[int, Mapping[int, int]]) -> None:
    """Add to pages and balances what was moved, by page and account."""
    moved: dict[int, int] = defaultdict(int)
    summed: list[tuple[int, int, int]] = []
    for page, amounts in pages.items():
        for account_id, amount in amounts.items():
            moved[account_id] += amount
            summed.append((account_id, page, amount))
    values = [value for row in sorted(summed) for value in row]
    merge_rows(tx, "account_pages", ("account_id", "page"), ("amount",), values)
    values = [value for row in sorted(moved.items()) for value in row]
    merge_rows(tx, "balances", ("account_id",), ("amount",), values)


def _posted(row: Any, parts: list[tuple[Account, int]]) -> Posted:
    entry = Entry(row.key, row.kind, row.at_ms, tuple(parts), row.text, row.reverses)
    return Posted(int(row.number), entry, bytes(row.hash))
