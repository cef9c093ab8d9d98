"""``primeur statements``: what providers and partners are owed by the month, and customers' accounts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.invoices import write_paper
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, print_table, print_thing, say

commands = typer.Typer(help="Statements of providers, partners and customers.")
Number = Annotated[str, typer.Argument(help="Number or id.")]
Kind = Annotated[str, typer.Option(help="provider or partner; both by default.")]
Pdf = Annotated[Path | None, typer.Option(help="Write a PDF there.")]


@commands.command("list")
def list_statements(
    kind: Kind = "",
    party: Annotated[str, typer.Option(help="Only of this provider or partner.")] = "",
    period: Annotated[str, typer.Option(help="Only of this month, such as 2026-11.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List statements of providers and partners, newest first."""
    with connect(data_dir) as api:
        found = api.get("statements", kind=kind, party=party, period=period)["data"]
    columns = {
        "number": lambda each: each["number"],
        "kind": lambda each: each["kind"],
        "party": lambda each: each["party"],
        "month": lambda each: each["period"],
        "total": lambda each: f"{each['total']} {each['currency']}",
        "state": lambda each: each["state"],
        "made": lambda each: moment(each["created_ms"]).partition(" ")[0],
    }
    print_list(found, columns, as_json=as_json, nothing="There are no statements.")


@commands.command("run")
def run_statements(
    period: Annotated[str, typer.Argument(help="A month that is over, such as 2026-11.")],
    kind: Kind = "",
    party: Annotated[str, typer.Option(help="Only this provider or partner.")] = "",
    issuer: Annotated[str, typer.Option(help="Code of who states it; the oldest by default.")] = "",
    language: Annotated[str, typer.Option(help="Of the papers: en or fr.")] = "en",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be; also of a running month.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """State what providers and partners are owed for a month; what is stated already stays as it is."""
    ask = {
        "period": period, "kind": kind, "party": party, "issuer": issuer, "language": language, "dry_run": dry_run
    }  # fmt: skip
    with connect(data_dir) as api:
        found = api.post("statements", ask)
    if as_json:
        print_json(found)
        return
    if not found["data"]:
        say("Nothing is owed to providers or partners; `primeur prices unpriced` shows what has no price.")
        return
    columns = {"kind": lambda each: each["kind"], "party": lambda each: each["party"], "statement": _told}
    print_table(found["data"], columns)


@commands.command("show")
def show_statement(number: Number, pdf: Pdf = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one statement, or write it as PDF."""
    with connect(data_dir) as api:
        found = api.get(one("statements", number))
        if pdf is not None:
            write_paper(api, f"{one('statements', number)}/pdf", pdf)
            say(f"{found['number']} is in {pdf}.")
            return
    if as_json:
        print_json(found)
        return
    print_thing({name: value for name, value in found.items() if name not in {"lines", "issued_by"}}, as_json=False)
    columns = {
        "what": lambda each: each["text"],
        "quantity": lambda each: each["quantity"],
        "amount": lambda each: each["amount"] or "unknown",
    }
    print_table(found["lines"], columns)


@commands.command("pay")
def pay_statement(number: Number, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Note that a statement is paid."""
    with connect(data_dir) as api:
        found = api.post(f"{one('statements', number)}/paid", {})
    if as_json:
        print_json(found)
    else:
        say(f"{found['number']} is paid: {found['total']} {found['currency']}.")


@commands.command("account")
def show_account(
    customer: Annotated[str, typer.Argument(help="Name or id of the customer.")],
    period: Annotated[str, typer.Argument(help="A month, such as 2026-11.")],
    pdf: Pdf = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show a customer's account for a month: what was open, invoiced, taken back and paid."""
    place = f"{one('customers', customer)}/statement"
    with connect(data_dir) as api:
        found = api.get(place, period=period)
        if pdf is not None:
            write_paper(api, f"{place}/pdf", pdf, period=period)
            say(f"The account of {found['buyer']['name']} for {period} is in {pdf}.")
            return
    if as_json:
        print_json(found)
        return
    print_thing({name: found[name] for name in ("period", "currency", "opening", "closing", "credits")}, as_json=False)
    columns = {
        "at": lambda each: moment(each["at_ms"]).partition(" ")[0],
        "what": lambda each: each["kind"].replace("_", " "),
        "number": lambda each: each["number"],
        "amount": lambda each: each["amount"],
    }
    print_table(found["movements"], columns)


def _told(each: dict[str, Any]) -> str:
    if each["fault"]:
        return f"none: {each['fault']}"
    paper = each["statement"]
    if paper is None:
        return "nothing to state"
    state = "" if each["fresh"] else ", made before"
    return f"{paper['number'] or 'would be'} {paper['total']} {paper['currency']}{state}"
