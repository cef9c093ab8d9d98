"""Distribute profits through tiers: read both files, and give what each period pays."""

import csv
import io
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from primeur.core.errors import BadRequest
from primeur.ledger.rules.tiers import read_cents, read_tiers, show_cents
from primeur.ledger.rules.waterfall import Payment, distribute
from primeur.walks.read_trace import open_table

_MOST = 100_000


class Distribution(msgspec.Struct, frozen=True):
    """A distribution, period by period.

    Attributes:
        label, base: names of the columns that periods and amounts came from.
    """

    currency: str
    label: str
    base: str
    parties: Sequence[str]
    payments: Sequence[Payment]


def distribute_profit(tiers: Path, profits: Path) -> Distribution:
    """Read tiers (TOML) and profits (CSV), and distribute.

    Raises:
        BadRequest: one of the files cannot be used; says where.
    """
    try:
        document = tomllib.loads(tiers.read_text("utf-8"))
    except OSError as error:
        raise BadRequest(f"{tiers} cannot be read: {error.strerror}; name another file") from None
    except ValueError as error:
        raise BadRequest(f"{tiers} is not TOML: {error}") from None
    said, waterfall = read_tiers(tiers.name, document)
    label, amounts = _read_profits(profits, said.base)
    return Distribution(said.currency, label, said.base, said.parties, distribute(waterfall, amounts))


def rows_of(found: Distribution) -> list[dict[str, str]]:
    """Give a distribution as rows of text, amounts with their cents."""
    return [
        {
            found.label: each.period,
            found.base: show_cents(each.profit),
            "distributed": show_cents(each.distributed),
            "cumulative_distributed": show_cents(each.cumulative),
            **{f"to_{party}": show_cents(each.paid[party]) for party in found.parties},
        }
        for each in found.payments
    ]


def write_csv(rows: Sequence[dict[str, str]]) -> str:
    """Write rows as CSV, with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _read_profits(path: Path, base: str) -> tuple[str, list[tuple[str, int]]]:
    found: list[tuple[str, int]] = []
    with open_table(path) as (header, rows):
        others = [column for column in header if column != base]
        if base not in header or not others:
            raise BadRequest(f"{path.name} needs a column {base!r} and one that names the period, such as year,{base}")
        label, amount = header.index(others[0]), header.index(base)
        for line, row in enumerate(rows, 2):
            if len(row) != len(header):
                raise BadRequest(f"{path.name} line {line} has {len(row)} cells, not {len(header)}; repair it")
            found.append((row[label].strip(), read_cents(f"{path.name} line {line}: {base}", row[amount])))
            if len(found) > _MOST:
                raise BadRequest(f"{path.name} has more than {_MOST} periods; give fewer")
    if not found:
        raise BadRequest(f"{path.name} has no periods; give one row at least")
    return others[0], found
