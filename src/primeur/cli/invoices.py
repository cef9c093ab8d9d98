"""``primeur invoices``: made by the month, shown as a table, JSON or PDF, paid, taken back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import Api, connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, print_table, print_thing, say
from primeur.core.errors import SetupError

commands = typer.Typer(help="Invoices and credit notes.")
Number = Annotated[str, typer.Argument(help="Number or id.")]


@commands.command("list")
def list_invoices(
    customer: Annotated[str, typer.Option(help="Only of this customer.")] = "",
    period: Annotated[str, typer.Option(help="Only of this month, such as 2026-11.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List invoices and credit notes, newest first."""
    with connect(data_dir) as api:
        found = api.get("invoices", customer=customer, period=period)["data"]
    columns = {
        "number": lambda each: each["number"],
        "kind": lambda each: each["kind"].replace("_", " "),
        "customer": lambda each: each["buyer"]["name"],
        "month": lambda each: each["period"],
        "total": lambda each: f"{each['total']} {each['currency']}",
        "state": lambda each: each["state"],
        "due": lambda each: moment(each["due_ms"]).partition(" ")[0],
    }
    print_list(found, columns, as_json=as_json, nothing="There are no invoices.")


@commands.command("issuer")
def set_issuer(
    code: Annotated[str, typer.Argument(help="What numbers begin with, such as ACME.")],
    name: Annotated[str, typer.Option(help="Who invoices.")],
    address: Annotated[str, typer.Option(help="As papers show it.")] = "",
    tax_id: Annotated[str, typer.Option(help="Tax number.")] = "",
    due_days: Annotated[int, typer.Option(min=0, max=365, help="Until an invoice is due.")] = 30,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say who invoices."""
    ask = {"name": name, "address": address, "tax_id": tax_id, "due_days": due_days}
    with connect(data_dir) as api:
        print_thing(api.put(one("issuers", code), ask), as_json=as_json)


@commands.command("run")
def run_invoices(
    period: Annotated[str, typer.Argument(help="A month that is over, such as 2026-11.")],
    customer: Annotated[str, typer.Option(help="Only this customer.")] = "",
    issuer: Annotated[str, typer.Option(help="Code of who invoices; the oldest by default.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be; also of a running month.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Invoice a month; what is invoiced already stays as it is."""
    ask = {"period": period, "customer": customer, "issuer": issuer, "dry_run": dry_run}
    with connect(data_dir) as api:
        found = api.post("invoices", ask)
    if as_json:
        print_json(found)
        return
    if not found["data"]:
        say("There are no customers; `primeur customers create` makes one.")
        return
    print_table(found["data"], {"customer": lambda each: each["customer"], "invoice": _told})


@commands.command("show")
def show_invoice(
    number: Number,
    pdf: Annotated[Path | None, typer.Option(help="Write a PDF there.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show one invoice, or write it as PDF."""
    with connect(data_dir) as api:
        found = api.get(one("invoices", number))
        if pdf is not None:
            write_paper(api, f"{one('invoices', number)}/pdf", pdf)
            say(f"{found['number']} is in {pdf}.")
            return
    if as_json:
        print_json(found)
        return
    print_thing({name: value for name, value in found.items() if name not in {"lines", "seller"}}, as_json=False)
    columns = {
        "what": lambda each: each["text"],
        "quantity": lambda each: each["quantity"],
        "amount": lambda each: each["amount"] or "unknown",
    }
    print_table(found["lines"], columns)


@commands.command("pay")
def pay_invoice(number: Number, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Note that an invoice is paid."""
    with connect(data_dir) as api:
        _tell(api.post(f"{one('invoices', number)}/paid", {}), "is paid", as_json=as_json)


@commands.command("credit")
def credit_invoice(number: Number, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take an invoice back with a credit note; its month can be invoiced anew."""
    with connect(data_dir) as api:
        _tell(api.post(f"{one('invoices', number)}/credit-note", {}), f"takes {number} back", as_json=as_json)


def _told(each: dict[str, Any]) -> str:
    if each["fault"]:
        return f"none: {each['fault']}"
    paper = each["invoice"]
    if paper is None:
        return "nothing to invoice"
    state = "" if each["fresh"] else ", made before"
    return f"{paper['number'] or 'would be'} {paper['total']} {paper['currency']}{state}"


def _tell(found: dict[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        say(f"{found['number']} {words}: {found['total']} {found['currency']}.")


def write_paper(api: Api, place: str, path: Path, **query: str) -> None:
    """Write a PDF to a file.

    Raises:
        SetupError: the file cannot be written.
    """
    try:
        with path.open("wb") as file:
            api.download(place, file, **query)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}; name another file") from None
