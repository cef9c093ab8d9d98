"""``primeur ledger``: what was booked, proof of it, and what follows from it."""

from operator import itemgetter
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from primeur.cli.client import connect
from primeur.cli.show import AsJson, DataDir, print_json, print_table, print_thing
from primeur.cli.simulate import progress
from primeur.core.errors import PrimeurError
from primeur.core.money import nanos_per_token, show_money
from primeur.core.price import Price
from primeur.ledger.rules.tiers import read_share
from primeur.walks.distribute_profit import distribute_profit, rows_of, write_csv

commands = typer.Typer(help="The ledger: what was booked, proof of it, and what follows from it.")


@commands.command("replay")
def replay(
    trace: Annotated[Path, typer.Argument(help="A .csv or .csv.gz: requests (arrival, tokens) or ServeGen windows.")],
    sell_input: Annotated[str, typer.Option(help="What a million input tokens are sold at.")],
    sell_output: Annotated[str, typer.Option(help="What a million output tokens are sold at.")],
    buy_input: Annotated[str, typer.Option(help="What a million input tokens are bought at.")] = "0",
    buy_output: Annotated[str, typer.Option(help="What a million output tokens are bought at.")] = "0",
    share: Annotated[str, typer.Option(help="A partner's part of revenue, such as 20%.")] = "0%",
    currency: Annotated[str, typer.Option(help="Three letters, ISO 4217.")] = "USD",
    into: Annotated[Path | None, typer.Option(help="Keep the ledger in this new SQLite file.")] = None,
    most: Annotated[int, typer.Option(min=1, max=50_000_000, help="Refuse longer traces.")] = 2_000_000,
    as_json: AsJson = False,
) -> None:
    """Book every row of a trace into a fresh ledger, and say what it earns and costs."""
    # Only this needs the database.
    from primeur.walks.replay_ledger import replay_ledger  # noqa: PLC0415

    with progress("booking") as tell:
        found = replay_ledger(
            trace,
            sell=_price(currency, sell_input, sell_output),
            buy=_price(currency, buy_input, buy_output),
            part=read_share("--share", share),
            into=into,
            most=most,
            tell=tell,
        )
    fields = msgspec.structs.asdict(found)
    if as_json:
        print_json(fields)
        return
    shown = {
        name.removesuffix("_nanos"): show_money(value, currency) for name, value in fields.items() if "_na" in name
    }
    print_thing({"requests": found.requests, **shown}, as_json=False)


@commands.command("verify")
def verify(
    database: Annotated[Path | None, typer.Option(help="A file that `ledger replay --into` made.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Prove the whole ledger: chain, sums and balances; the first wrong transaction is named, and the status is 1."""
    if database is not None:
        # Only this needs the database here.
        from primeur.walks.verify_ledger import verify_file  # noqa: PLC0415

        found = verify_file(database)
    else:
        with connect(data_dir) as api:
            found = api.get("ledger/verify")
    print_thing(found, as_json=as_json)
    if not found["ok"]:
        wrong = found["first_wrong"]
        words = f"transaction {wrong['number']} ({wrong['key']}): {wrong['fault']}" if wrong else "a balance is wrong"
        raise PrimeurError(f"the ledger does not hold: {words}")


@commands.command("distribute")
def distribute(
    tiers: Annotated[Path, typer.Argument(help="The tiers, TOML; docs/examples/tiers.toml is one.")],
    profits: Annotated[Path, typer.Argument(help="The profits, CSV: a column for the period, one for the profit.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say who gets what of each period's profit."""
    rows = rows_of(distribute_profit(tiers, profits))
    if as_json:
        print_json(rows)
    elif as_csv:
        typer.echo(write_csv(rows), nl=False)
    else:
        print_table(rows, {name: itemgetter(name) for name in rows[0]})


def _price(currency: str, input_price: str, output_price: str) -> Price:
    into = nanos_per_token(input_price)
    return Price("price_replay", currency, into, into, nanos_per_token(output_price))
