"""``primeur margins``: what requests earn, cost and leave."""

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from primeur.cli.client import connect
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_table
from primeur.core.money import show_money

_DAY_MS = 86_400_000


class By(StrEnum):
    """What margins are summed up by."""

    model = "model"
    customer = "customer"
    provider = "provider"
    deployment = "deployment"
    project = "project"
    day = "day"


def show_margins(
    by: Annotated[By, typer.Option(help="What to sum up by.")] = By.model,
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many UTC days back.")] = 30,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what requests earn, cost and leave, and what a chat costs; what has no price is unknown, not zero."""
    from_ms = time.time_ns() // 1_000_000 - days * _DAY_MS
    with connect(data_dir) as api:
        found = api.get("margins", by=by.value, from_ms=max(0, from_ms))
    if as_json:
        print_json(found)
        return
    columns = {
        by.value: lambda line: _label(line, by),
        "requests": lambda line: line["requests"],
        "revenue": lambda line: _each(line, "revenue_nanos"),
        "cost": lambda line: _each(line, "cost_nanos"),
        "shares": lambda line: _each(line, "share_nanos"),
        "margin": lambda line: _each(line, "margin_nanos"),
        "cost per chat": lambda line: _each(line, "cost_per_chat_nanos"),
        "without price": lambda line: line["unsold"],
        "without cost": lambda line: line["unbought"],
    }  # fmt: skip
    print_table([*found["data"], found["total"]], columns)


def _each(line: Mapping[str, Any], name: str) -> str:
    amounts = [show_money(one[name], currency) for currency, one in line["money"].items()]
    return " + ".join(amounts) or ("unknown" if line["requests"] else "-")


def _label(line: Mapping[str, Any], by: By) -> str:
    if by == By.day and line["name"] != "total":
        return moment(int(line["name"])).partition(" ")[0]
    return str(line["label"])
