"""``primeur alerts``: who is told when budgets are reached."""

from enum import StrEnum
from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_list, print_thing

commands = typer.Typer(help="Alerts: who is told when budgets are reached.")


class Kind(StrEnum):
    """How somebody is told."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@commands.command("list")
def list_targets(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List who is told."""
    with connect(data_dir) as api:
        found = api.get("alert-targets")["data"]
    columns = {
        "id": lambda each: each["id"],
        "kind": lambda each: each["kind"],
        "address": lambda each: each["address"],
        "since": lambda each: moment(each["created_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="Nobody is told when budgets are reached.")


@commands.command("add")
def add_target(
    kind: Annotated[Kind, typer.Argument(help="How.")],
    address: Annotated[str, typer.Argument(help="An e-mail address or a URL.")],
    language: Annotated[str, typer.Option(help="Of mails: en or fr.")] = "en",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Tell somebody when a budget's soft or hard limit is reached, once in each period."""
    with connect(data_dir) as api:
        made = api.post("alert-targets", {"kind": kind.value, "address": address, "language": language})
    print_thing(made, as_json=as_json)


@commands.command("remove")
def remove_target(
    target: Annotated[str, typer.Argument(help="Its id.")], data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Tell somebody no more."""
    with connect(data_dir) as api:
        print_thing(api.delete(one("alert-targets", target)), as_json=as_json)
