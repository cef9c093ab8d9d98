"""``primeur customers``: who is invoiced; ``primeur credits``: what they and we paid ahead."""

from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_list, print_thing
from primeur.core.errors import BadRequest

commands = typer.Typer(help="Customers: who is invoiced.")
credit_commands = typer.Typer(help="Credits: wallets, gifts and capacity paid for ahead.")
Name = Annotated[str, typer.Argument(help="Name or id of the customer.")]
Currency = Annotated[str, typer.Option(help="Three letters, ISO 4217.")]


@commands.command("list")
def list_customers(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List customers."""
    with connect(data_dir) as api:
        found = api.get("customers")["data"]
    columns = {
        "name": lambda each: each["name"],
        "id": lambda each: each["id"],
        "project": lambda each: each["project_id"] or "whole organisation",
        "currency": lambda each: each["currency"],
        "language": lambda each: each["language"],
        "e-mail": lambda each: each["email"],
    }
    print_list(found, columns, as_json=as_json, nothing="There are no customers.")


@commands.command("create")
def create_customer(
    name: Annotated[str, typer.Argument(help="What papers call them.")],
    project: Annotated[str, typer.Option(help="Only this project; the whole organisation by default.")] = "",
    organisation: Annotated[str, typer.Option(help="Another organisation than one's own.")] = "",
    currency: Currency = "EUR",
    address: Annotated[str, typer.Option(help="As papers show it.")] = "",
    tax_id: Annotated[str, typer.Option(help="Tax number.")] = "",
    email: Annotated[str, typer.Option(help="Where to write to.")] = "",
    language: Annotated[str, typer.Option(help="Of their papers: en or fr.")] = "en",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make an organisation, or one of its projects, a customer."""
    ask = {
        "name": name, "project": project, "organisation": organisation, "currency": currency, "address": address,
        "tax_id": tax_id, "email": email, "language": language,
    }  # fmt: skip
    with connect(data_dir) as api:
        print_thing(api.post("customers", ask), as_json=as_json)


@commands.command("show")
def show_customer(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one customer."""
    with connect(data_dir) as api:
        print_thing(api.get(one("customers", name)), as_json=as_json)


@commands.command("change")
def change_customer(
    name: Name,
    address: Annotated[str | None, typer.Option(help="As papers show it.")] = None,
    tax_id: Annotated[str | None, typer.Option(help="Tax number.")] = None,
    email: Annotated[str | None, typer.Option(help="Where to write to.")] = None,
    language: Annotated[str | None, typer.Option(help="Of their papers: en or fr.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change where papers go and how they look; final ones keep what they said."""
    said = {"address": address, "tax_id": tax_id, "email": email, "language": language}
    change = {field: value for field, value in said.items() if value is not None}
    if not change:
        raise BadRequest("say what to change: --address, --tax-id, --email or --language")
    with connect(data_dir) as api:
        print_thing(api.patch(one("customers", name), change), as_json=as_json)


@credit_commands.command("list")
def list_credits(
    holder: Annotated[str, typer.Option(help="A customer, or provider:NAME.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List credits: granted = used + expired + left."""
    with connect(data_dir) as api:
        found = api.get("credits", holder=holder)["data"]
    columns = {
        "holder": lambda each: each["holder_name"],
        "name": lambda each: each["name"],
        "kind": lambda each: each["kind"],
        "granted": lambda each: f"{each['granted']} {each['currency']}",
        "used": lambda each: each["used"],
        "expired": lambda each: each["expired"],
        "left": lambda each: each["left"],
        "priority": lambda each: each["priority"],
        "expires": lambda each: moment(each["expires_ms"]).partition(" ")[0],
    }
    print_list(found, columns, as_json=as_json, nothing="There are no credits.")


@credit_commands.command("grant")
def grant_credit(
    holder: Annotated[str, typer.Argument(help="A customer, or provider:NAME for what we hold there.")],
    amount: Annotated[str, typer.Argument(help="Such as 100.00.")],
    name: Annotated[str, typer.Option(help="As invoices call it.")] = "Credit",
    kind: Annotated[str, typer.Option(help="prepaid, promotion or compute.")] = "prepaid",
    currency: Currency = "EUR",
    priority: Annotated[int, typer.Option(min=0, max=1000, help="The lowest is burned first.")] = 100,
    days: Annotated[int | None, typer.Option(min=1, help="How long it is good; for good by default.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Grant a credit or fill a wallet."""
    ask = {
        "holder": holder, "amount": amount, "name": name, "kind": kind, "currency": currency, "priority": priority,
        "days": days,
    }  # fmt: skip
    with connect(data_dir) as api:
        print_thing(api.post("credits", ask), as_json=as_json)
