"""The ledger in the words of other programs: Beancount and CSV; pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from primeur.ledger.rules.entries import SCALES, Account, Entry

CSV_COLUMNS = (
    "number", "at", "key", "kind", "text", "reverses", "hash", "place", "account", "currency", "book", "amount",
)  # fmt: skip
OPENING = "Balances of what was before"


def amount_text(account: Account, amount: int) -> str:
    """Write an amount in units of its currency, with all decimals of its book."""
    places = -SCALES[account.book]
    return format(Decimal(amount).scaleb(places).quantize(Decimal(1).scaleb(places)), "f")


def beancount_head(accounts: Iterable[Account]) -> str:
    """Write what comes before the transactions: the title, currencies, and every account opened."""
    currencies: dict[str, set[str]] = {}
    for one in accounts:
        currencies.setdefault(one.name, set()).add(one.currency)
    lines = ['option "title" "Primeur"']
    lines += [f'option "operating_currency" "{one}"' for one in sorted(set[str]().union(*currencies.values()))]
    lines += [f"1970-01-01 open {name} {','.join(sorted(held))}" for name, held in sorted(currencies.items())]
    return "\n".join(lines) + "\n"


def beancount_entry(number: int, entry: Entry, hashed: str) -> str:
    """Write one transaction: legs of both books beside each other, for each book sums to zero by itself."""
    lines = [
        f"{_time(entry.at_ms):%Y-%m-%d} * {_quoted(entry.kind)} {_quoted(entry.text)}",
        f"  number: {number}",
        f"  key: {_quoted(entry.key)}",
        f"  hash: {_quoted(hashed)}",
        *(f"  {account.name}  {amount_text(account, amount)} {account.currency}" for account, amount in entry.legs),
    ]
    return "\n" + "\n".join(lines) + "\n"


def beancount_opening(from_ms: int, balances: Sequence[tuple[Account, int]]) -> str:
    """Write the balances with which a period begins as its first transaction; together they are zero."""
    return beancount_entry(0, Entry("opening", "opening", from_ms, tuple(balances), OPENING), "") if balances else ""


def csv_head() -> str:
    """Write the names of the columns."""
    return _row(CSV_COLUMNS)


def csv_entry(number: int, entry: Entry, hashed: str) -> str:
    """Write one transaction, a line for each leg."""
    at = _time(entry.at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = (entry.key, entry.kind, entry.text, entry.reverses, hashed)
    begin = (str(number), at, *map(_harmless, said))
    return "".join(
        _row((*begin, str(place), *account, amount_text(account, amount)))
        for place, (account, amount) in enumerate(entry.legs, 1)
    )


def _harmless(text: str) -> str:
    """A spreadsheet takes a text that begins so for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _row(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
