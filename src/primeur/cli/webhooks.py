"""``primeur webhooks``: deliveries, and what a receiver checks them with."""

from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_list, print_thing

commands = typer.Typer(help="Webhooks: deliveries, and what a receiver checks them with.")


@commands.command("list")
def list_deliveries(
    state: Annotated[str, typer.Option(help="pending, delivered or abandoned.")] = "",
    before: Annotated[str, typer.Option(help="Only those older than this one.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first."""
    with connect(data_dir) as api:
        found = api.get("webhooks/deliveries", state=state, before=before, limit=limit)["data"]
    columns = {
        "made": lambda each: moment(each["created_ms"]),
        "id": lambda each: each["id"],
        "kind": lambda each: each["kind"],
        "state": lambda each: each["state"],
        "tries": lambda each: each["attempts"],
        "fault": lambda each: each["fault"] or "-",
        "url": lambda each: each["url"],
    }
    print_list(found, columns, as_json=as_json, nothing="There are no such deliveries.")


@commands.command("retry")
def retry(
    delivery: Annotated[str, typer.Argument(help="Its id.")], data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Try a delivery again now, also one that was abandoned."""
    with connect(data_dir) as api:
        print_thing(api.post(one("webhooks/deliveries", delivery) + "/retry", {}), as_json=as_json)


@commands.command("secret")
def show_secret(
    url: Annotated[str, typer.Argument(help="Where deliveries go.")], data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Show what the receiver at a URL checks deliveries with."""
    with connect(data_dir) as api:
        print_thing(api.get("webhooks/secret", url=url), as_json=as_json)
