"""``primeur prices``: what a deployment's tokens cost."""

from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_list, print_thing

commands = typer.Typer(help="Prices: what a deployment's tokens cost.")


@commands.command("list")
def list_prices(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List prices per million tokens, those in force first."""
    with connect(data_dir) as api:
        found = api.get("prices")["data"]
    columns = {
        "deployment": lambda each: each["deployment"],
        "input": lambda each: each["input"],
        "cached": lambda each: each["cached"],
        "output": lambda each: each["output"],
        "currency": lambda each: each["currency"],
        "from": lambda each: moment(each["from_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="No deployment has a price; its costs are unknown, not zero.")


@commands.command("set")
def set_price(
    deployment: Annotated[str, typer.Argument(help="Name or alias of the deployment.")],
    input_price: Annotated[str, typer.Option("--input", help="A million input tokens, such as 2.50.")],
    output_price: Annotated[str, typer.Option("--output", help="A million output tokens.")],
    cached_price: Annotated[str | None, typer.Option("--cached", help="A million cached ones; as input.")] = None,
    currency: Annotated[str, typer.Option(help="Three letters, ISO 4217.")] = "EUR",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set a deployment's price from now on."""
    ask = {"currency": currency, "input": input_price, "output": output_price, "cached": cached_price}
    with connect(data_dir) as api:
        print_thing(api.put(one("prices", deployment), ask), as_json=as_json)
