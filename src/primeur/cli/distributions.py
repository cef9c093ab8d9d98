"""``primeur distributions``: recorded profit shared out by tiers, and posted."""

from pathlib import Path
from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.declared import read_toml
from primeur.cli.show import AsJson, DataDir, print_list, print_thing

commands = typer.Typer(help="Distributions: recorded profit shared out by tiers, and posted.")
Name = Annotated[str, typer.Argument(help="Of the tiers.")]


@commands.command("set")
def set_tiers(
    name: Name,
    tiers: Annotated[Path, typer.Argument(help="The tiers, TOML; docs/examples/tiers.toml is one.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Keep tiers under a name."""
    with connect(data_dir) as api:
        print_thing(api.put(one("tiers", name), read_toml(tiers)), as_json=as_json)


@commands.command("tiers")
def list_tiers(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the tiers that hold."""
    with connect(data_dir) as api:
        found = api.get("tiers")["data"]
    columns = {
        "name": lambda each: each["name"],
        "base": lambda each: each["document"].get("base", "profit"),
        "currency": lambda each: each["document"]["currency"],
        "parties": lambda each: each["document"]["parties"],
        "tiers": lambda each: len(each["document"]["tiers"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are no tiers; `primeur distributions set` keeps some.")


@commands.command("list")
def list_distributions(
    name: Annotated[str, typer.Option(help="Only by these tiers.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what each period paid, the newest first."""
    with connect(data_dir) as api:
        found = api.get("distributions", name=name)["data"]
    columns = {
        "tiers": lambda each: each["name"],
        "month": lambda each: each["period"],
        "profit": lambda each: f"{each['taken']} {each['currency']}",
        "distributed": lambda each: each["distributed"],
        "carried": lambda each: each["carried"],
        "to": lambda each: ", ".join(f"{party} {amount}" for party, amount in each["paid"].items()),
        "state": lambda each: each["state"],
    }
    print_list(found, columns, as_json=as_json, nothing="Nothing was shared out.")


@commands.command("run")
def run_distribution(
    name: Name,
    period: Annotated[str, typer.Argument(help="A month that is over, such as 2026-11.")],
    amount: Annotated[str | None, typer.Option(help="Of profits kept elsewhere; what the books say.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be; also of a running month.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Share out a month's recorded profit and post it; a month that was shared out stays as it is."""
    ask = {"period": period, "amount": amount, "dry_run": dry_run}
    with connect(data_dir) as api:
        print_thing(api.post(one("distributions", name), ask), as_json=as_json)


@commands.command("pay")
def pay_distribution(
    name: Name,
    period: Annotated[str, typer.Argument(help="A month that was shared out.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Note that the parties of a distribution are paid."""
    with connect(data_dir) as api:
        print_thing(api.post(f"{one('distributions', name)}/{period}/paid", {}), as_json=as_json)
