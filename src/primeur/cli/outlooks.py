"""``primeur forecast``: what the month and the year will cost; ``primeur ledger what-if``: what a month would have."""

from typing import Annotated

import typer

from primeur.cli.client import connect
from primeur.cli.show import AsJson, DataDir, print_list


def show_forecast(
    project: Annotated[str, typer.Option(help="Only this project.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Forecast what the month and the year will cost, and how sure that is."""
    with connect(data_dir) as api:
        found = api.get("usage/forecast", project=project)["data"]
    rows = [{"currency": one["currency"], "until": until} | one[until] for one in found for until in ("month", "year")]
    columns = {
        "by the end of the": lambda each: each["until"],
        "so far": lambda each: f"{each['so_far']} {each['currency']}",
        "expected": lambda each: each["expected"],
        "8 of 10 times between": lambda each: "not known yet" if each["low"] is None else each["low"],
        "and": lambda each: each["high"],
        "from days": lambda each: each["learned_from"],
    }
    print_list(found if as_json else rows, columns, as_json=as_json, nothing="Nothing has cost anything yet.")


def ask_what_if(
    period: Annotated[str, typer.Argument(help="A month such as 2026-11.")],
    price: Annotated[
        list[str] | None,
        typer.Option(help="DEPLOYMENT=INPUT/OUTPUT or DEPLOYMENT=INPUT/OUTPUT/CACHED, a million tokens."),
    ] = None,
    plan: Annotated[
        list[str] | None, typer.Option(help="CUSTOMER=PLAN for the whole month; no plan: CUSTOMER=")
    ] = None,
    share: Annotated[str, typer.Option(help="Percent of revenue that a partner gets.")] = "0",
    currency: Annotated[str, typer.Option(help="Of the prices, ISO 4217.")] = "EUR",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Suppose other prices, plans or shares, on the usage that was recorded; nothing is written."""
    said = {"prices": ",".join(price or []), "plans": ",".join(plan or []), "share": share.rstrip("%")}
    with connect(data_dir) as api:
        found = api.get("ledger/what-if", period=period, currency=currency, **said)["data"]
    columns = {
        "customer": lambda each: each["customer"],
        "was": lambda each: f"{each['was']} {each['currency']}",
        "would be": lambda each: each["would_be"],
        "difference": lambda each: each["difference"],
        "share": lambda each: each["share"],
        "after share": lambda each: each["after_share"],
    }
    print_list(found, columns, as_json=as_json, nothing="There are no customers.")
