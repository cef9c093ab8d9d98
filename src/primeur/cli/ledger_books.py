"""``primeur ledger accounts``, ``balances``, ``transactions`` and ``export``: what is in the books."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import connect
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, print_table, say
from primeur.core.errors import BadRequest

Since = Annotated[str, typer.Option("--from", help="First day, UTC, such as 2026-11-01.")]
Until = Annotated[str, typer.Option("--to", help="Day after the last one, UTC.")]


class Form(StrEnum):
    """What other programs read."""

    beancount = "beancount"
    csv = "csv"
    focus_csv = "focus-csv"
    focus_parquet = "focus-parquet"


class Dataset(StrEnum):
    """Datasets of FOCUS."""

    cost = "cost-and-usage"
    commitment = "contract-commitment"


def list_accounts(
    text: Annotated[str, typer.Argument(help="Part of the name.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List accounts, of both books."""
    columns = {name: lambda each, name=name: each[name] for name in ("book", "account", "currency")}
    print_list(_accounts(data_dir, text), columns, as_json=as_json, nothing="There are no such accounts.")


def list_balances(
    text: Annotated[str, typer.Argument(help="Part of the name.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List accounts with their balances; debits are positive."""
    columns = {
        "book": lambda each: each["book"],
        "account": lambda each: each["account"],
        "balance": lambda each: f"{each['amount']} {each['currency']}",
    }
    print_list(_accounts(data_dir, text), columns, as_json=as_json, nothing="There are no such accounts.")


def list_transactions(
    text: Annotated[str, typer.Argument(help="Part of the key or the text.")] = "",
    account: Annotated[str, typer.Option(help="An account, or its beginning, such as Income.")] = "",
    currency: Annotated[str, typer.Option(help="Three letters, ISO 4217.")] = "",
    book: Annotated[str, typer.Option(help="The account's book: requests or settlements.")] = "requests",
    kind: Annotated[str, typer.Option(help="Such as usage, invoice, payment or reversal.")] = "",
    since: Since = "",
    until: Until = "",
    before: Annotated[int | None, typer.Option(help="Read on from here; printed at the end of a page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Search transactions, newest first; of one account with its running balance."""
    with connect(data_dir) as api:
        found = api.get(
            "ledger/transactions", text=text, account=account, currency=currency, book=book, kind=kind,
            from_ms=_day("--from", since), to_ms=_day("--to", until), before=before, limit=limit,
        )  # fmt: skip
    if as_json:
        print_json(found["data"])
        return
    if not found["data"]:
        say("There are no such transactions.")
        return
    columns = {
        "number": lambda each: each["number"],
        "at": lambda each: moment(each["at_ms"]),
        "kind": lambda each: each["kind"],
        "key": lambda each: each["key"],
        "legs": _legs,
        "balance": lambda each: each["balance"],
    }
    print_table(found["data"], columns)
    if found["next"]:
        typer.echo(f"More: --before {found['next']}", err=True)


def export_ledger(
    form: Annotated[Form, typer.Option("--format", help="Beancount's text; CSV, a line for each leg; FOCUS.")],
    dataset: Annotated[Dataset, typer.Option(help="Of FOCUS.")] = Dataset.cost,
    since: Since = "",
    until: Until = "",
    output: Annotated[Path | None, typer.Option(help="File to write; the screen otherwise.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Export the ledger, oldest first, or what was used as FOCUS has it."""
    days = {"from_ms": _day("--from", since), "to_ms": _day("--to", until)}
    query = {name: str(at) for name, at in days.items() if at is not None}
    path, query["form"] = "ledger/export", form.value
    if form in {Form.focus_csv, Form.focus_parquet}:
        path, query["form"], query["dataset"] = "focus", form.value.removeprefix("focus-"), dataset.value
    with connect(data_dir) as api:
        if output is None:
            api.download(path, sys.stdout.buffer, **query)
            return
        with output.open("wb") as file:
            size = api.download(path, file, **query)
    say(f"{size} bytes are in {output}.")


def _accounts(data_dir: Path | None, text: str) -> list[Any]:
    with connect(data_dir) as api:
        found: list[Any] = api.get("ledger/accounts", text=text)["data"]
    return found


def _legs(each: dict[str, Any]) -> str:
    return "\n".join(f"{leg['account']} {leg['amount']} {leg['currency']}" for leg in each["legs"])


def _day(option: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise BadRequest(f"{option} takes a day such as 2026-11-01, not {text!r}") from None
