"""``primeur usage`` and ``primeur requests``: who used what, and what became of each request."""

import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, costs, moment, print_json, print_table, print_thing, say
from primeur.core.money import show_money

requests = typer.Typer(help="Requests: the log, one row for each.")
_DAY_MS = 86_400_000


class By(StrEnum):
    """What usage is summed up by."""

    key = "key"
    deployment = "deployment"
    project = "project"
    day = "day"
    model = "model"


def show_usage(
    by: Annotated[By, typer.Option(help="What to sum up by.")] = By.deployment,
    days: Annotated[int, typer.Option(min=1, max=3660, help="How far back.")] = 30,
    project: Annotated[str, typer.Option(help="Only this project.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show who used what, and what it cost."""
    from_ms = time.time_ns() // 1_000_000 - days * _DAY_MS
    with connect(data_dir) as api:
        found = api.get("usage", by=by.value, from_ms=max(0, from_ms), project=project)
    if as_json:
        print_json(found)
        return
    columns = {
        by.value: lambda line: _label(line, by),
        "requests": lambda line: line["requests"],
        "failed": lambda line: line["failed"],
        "input": lambda line: line["input_tokens"],
        "cached": lambda line: line["cached_tokens"],
        "output": lambda line: line["output_tokens"],
        "cost": lambda line: costs(line["costs"], line["unpriced"]),
    }  # fmt: skip
    print_table([*found["data"], found["total"]], columns)


@requests.command("list")
def list_requests(
    text: Annotated[str, typer.Option(help="Part of the id, the error, or what was kept.")] = "",
    key: Annotated[str, typer.Option(help="Name or id of the key.")] = "",
    project: Annotated[str, typer.Option(help="Name or id of the project.")] = "",
    deployment: Annotated[str, typer.Option(help="Name of the deployment.")] = "",
    outcome: Annotated[str, typer.Option(help="completed, cancelled, failed or refused.")] = "",
    status: Annotated[int | None, typer.Option(help="HTTP status.")] = None,
    before: Annotated[str, typer.Option(help="Read on from here; printed at the end of a page.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Search the request log, newest first."""
    with connect(data_dir) as api:
        found = api.get(
            "requests", text=text, key=key, project=project, deployment=deployment, outcome=outcome, status=status,
            before=before, limit=limit,
        )  # fmt: skip
    if as_json:
        print_json(found["data"])
        return
    if not found["data"]:
        say("There are no such requests.")
        return
    columns = {
        "at": lambda each: moment(each["at_ms"]),
        "id": lambda each: each["id"],
        "key": lambda each: each["key"],
        "deployment": lambda each: each["deployment"],
        "outcome": lambda each: f"{each['outcome']} {each['status']}",
        "tokens": lambda each: f"{each['input_tokens']} + {each['output_tokens']}",
        "cost": _cost,
        "ms": lambda each: each["duration_us"] // 1000,
    }
    print_table(found["data"], columns)
    if found["next"]:
        typer.echo(f"More: --before {found['next']}", err=True)


@requests.command("show")
def show_request(
    request: Annotated[str, typer.Argument(help="Its id, as in the header x-request-id.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show one request; prompt and answer only where the project keeps them."""
    with connect(data_dir) as api:
        print_thing(api.get(one("requests", request)), as_json=as_json)


def _label(line: dict[str, Any], by: By) -> str:
    is_day = by is By.day and line["name"] != "total"
    return moment(int(line["name"])).partition(" ")[0] if is_day else str(line["label"])


def _cost(each: dict[str, Any]) -> str:
    return show_money(each["cost_nanos"], each["currency"])
