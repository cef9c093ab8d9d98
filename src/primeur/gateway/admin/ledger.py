"""The ledger: proof, accounts, transactions with running balances, and exports."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Literal

import msgspec

from primeur.gateway.admin.page import Page, asked
from primeur.gateway.admin.usage import Moment
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.ledger import rows
from primeur.ledger.audit import Proof
from primeur.ledger.rules import exports
from primeur.ledger.rules.entries import Account
from primeur.ledger.search_rows import Search, balance_after, balances_before, running, search_transactions
from primeur.store.database import Tx
from primeur.walks.verify_ledger import verify_ledger

_AT_ONCE = 1000
_NEVER = 1 << 53
Name = Annotated[str, msgspec.Meta(max_length=500)]


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account and its balance: debits positive, in the smallest unit of its book and as a decimal."""

    account: str
    currency: str
    book: str
    balance: int
    amount: str


class LegView(msgspec.Struct, frozen=True, kw_only=True):
    """One leg: debits positive; nanos in the book ``requests``, cents in ``settlements``."""

    account: str
    currency: str
    book: str
    units: int
    amount: str


class TransactionView(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction as it was posted.

    Attributes:
        balance: of the one account that was asked for, after this transaction, as a decimal; null where several were.
    """

    number: int
    key: str
    kind: str
    at_ms: int
    text: str
    reverses: str
    hash: str
    legs: list[LegView]
    balance: str | None = None


class AccountsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which accounts: those whose name has *text* in it."""

    text: Name = ""


class LedgerQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for; see `primeur.ledger.search_rows.Search`."""

    account: Name = ""
    currency: Annotated[str, msgspec.Meta(max_length=8)] = ""
    book: Literal["requests", "settlements"] = "requests"
    kind: Annotated[str, msgspec.Meta(max_length=32)] = ""
    text: Annotated[str, msgspec.Meta(max_length=200)] = ""
    from_ms: Moment | None = None
    to_ms: Moment | None = None
    before: Annotated[int, msgspec.Meta(ge=1, le=_NEVER)] | None = None
    limit: int = 50


class LedgerExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to export, in which form; all of it where no time is given."""

    form: Literal["beancount", "csv"] = "beancount"
    from_ms: Moment | None = None
    to_ms: Moment | None = None


async def get_proof(visit: Visit) -> Answer:
    """``GET /api/v1/ledger/verify``."""
    return json_answer(await verify_ledger(visit.house))


async def list_accounts(visit: Visit) -> Answer:
    """``GET /api/v1/ledger/accounts``."""
    wanted = asked(visit, AccountsQuery).text.casefold()
    found = await visit.house.store.read(rows.list_balances)
    return json_answer(
        Page(
            [
                AccountView(
                    account=one.name, currency=one.currency, book=one.book, balance=units,
                    amount=exports.amount_text(one, units),
                )
                for one, units in found
                if wanted in one.name.casefold()
            ]
        )
    )  # fmt: skip


async def list_transactions(visit: Visit) -> Answer:
    """``GET /api/v1/ledger/transactions``."""
    query = asked(visit, LedgerQuery)

    def read(tx: Tx) -> Page[TransactionView]:
        search = Search(
            account=query.account or None, currency=query.currency or None, book=query.book, kind=query.kind or None,
            text=query.text or None, from_ms=query.from_ms, to_ms=query.to_ms, before=query.before, limit=query.limit,
        )  # fmt: skip
        found, before = search_transactions(tx, search)
        account = _single(tx, query)
        shown: list[str | None] = [None] * len(found)
        # Of some of an account's transactions there is no running balance.
        if (
            account is not None
            and found
            and (query.kind, query.text, query.from_ms, query.to_ms) == ("", "", None, None)
        ):
            newest = balance_after(tx, account, found[0].number)
            shown = [exports.amount_text(account, units) for units in running(found, account, newest)]
        data = [_show(one, balance) for one, balance in zip(found, shown, strict=True)]
        return Page(data, None if before is None else str(before))

    return json_answer(await visit.house.store.read(read))


async def get_transaction(visit: Visit) -> Answer:
    """``GET /api/v1/ledger/transactions/{key}``."""
    return json_answer(_show(await visit.house.store.read(lambda tx: rows.find(tx, visit.params["key"]))))


async def export_ledger(visit: Visit) -> Answer:
    """``GET /api/v1/ledger/export``."""
    query = asked(visit, LedgerExport)
    content_type = b"text/csv; charset=utf-8" if query.form == "csv" else b"text/plain; charset=utf-8"
    return Answer(200, content_type=content_type, stream=_pieces(visit, query))


async def _pieces(visit: Visit, query: LedgerExport) -> AsyncIterator[bytes]:
    span = (query.from_ms or 0, _NEVER if query.to_ms is None else query.to_ms)
    read, after = visit.house.store.read, 0

    def head(tx: Tx) -> tuple[int, str]:
        number, _ = rows.head(tx)
        if query.form == "csv":
            return number, exports.csv_head()
        opened = exports.beancount_head(one for one, _ in rows.list_balances(tx))
        return number, opened + exports.beancount_opening(span[0], balances_before(tx, span[0]) if span[0] else [])

    last, text = await read(head)
    write = exports.csv_entry if query.form == "csv" else exports.beancount_entry
    yield text.encode()
    # What is posted while this runs is not in it: its accounts may be newer than those that were opened.
    while found := await read(partial(_read, after, span)):
        yield "".join(write(one.number, one.entry, one.hash.hex()) for one in found if one.number <= last).encode()
        after = found[-1].number
        if after >= last:
            return


def _read(after: int, span: tuple[int, int], tx: Tx) -> list[rows.Posted]:
    return list(rows.read(tx, after=after, most=_AT_ONCE, span=span))


def _single(tx: Tx, query: LedgerQuery) -> Account | None:
    """The one account that was asked for by its whole name."""
    found = [
        one
        for one, _ in rows.list_balances(tx)
        if one.name == query.account and one.book == query.book and query.currency in {"", one.currency}
    ]
    return found[0] if len(found) == 1 else None


def _show(posted: rows.Posted, balance: str | None = None) -> TransactionView:
    entry = posted.entry
    return TransactionView(
        number=posted.number, key=entry.key, kind=entry.kind, at_ms=entry.at_ms, text=entry.text,
        reverses=entry.reverses, hash=posted.hash.hex(), balance=balance,
        legs=[
            LegView(account=one.name, currency=one.currency, book=one.book, units=units,
                    amount=exports.amount_text(one, units))
            for one, units in entry.legs
        ],
    )  # fmt: skip


_TRANSACTIONS = "/api/v1/ledger/transactions"
DOORS = (
    Door("GET", "/api/v1/ledger/verify", get_proof, "Prove the ledger", "ledger:read", face="admin", gives=Proof),
    Door("GET", "/api/v1/ledger/accounts", list_accounts, "List accounts and their balances", "ledger:read",
         face="admin", takes=AccountsQuery, gives=Page[AccountView]),
    Door("GET", _TRANSACTIONS, list_transactions, "Search the ledger's transactions", "ledger:read", face="admin",
         takes=LedgerQuery, gives=Page[TransactionView]),
    Door("GET", f"{_TRANSACTIONS}/{{key}}", get_transaction, "Show a transaction", "ledger:read", face="admin",
         gives=TransactionView),
    Door("GET", "/api/v1/ledger/export", export_ledger, "Export the ledger as Beancount or CSV", "ledger:read",
         face="admin", takes=LedgerExport),
)  # fmt: skip
