"""Try policies on recorded traffic before they are trusted with real one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from primeur.broker.rights import Mode
from primeur.broker.traces import MICROSECONDS
from primeur.cli.show import DataDir
from primeur.cli.simulate_provider import simulate_provider
from primeur.cli.simulations import keep as keep_found
from primeur.cli.simulations import list_simulations
from primeur.core.errors import BadRequest
from primeur.walks.plan_procurement import Asked
from primeur.walks.plot_simulation import plot_procurement, plot_requests
from primeur.walks.replay_requests import Faults
from primeur.walks.simulate_procurement import simulate_procurement, summarise_procurement
from primeur.walks.simulate_requests import Study, simulate_requests, summarise

commands = typer.Typer(help="Try policies on recorded traffic before they are trusted.")


commands.command("provider")(simulate_provider)
commands.command("list")(list_simulations)

Trace = Annotated[Path, typer.Argument(help="A .csv or .csv.gz: requests (arrival, tokens) or ServeGen windows.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Plot = Annotated[Path | None, typer.Option(help="Write a PNG here.")]
Keep = Annotated[bool, typer.Option("--keep", help="Let the service keep what was found; the console draws it.")]
FaultTexts = Annotated[
    list[str] | None,
    typer.Option("--fault", help="outage:START_S:SECONDS, late:SECONDS, duplicates:EVERY, price:AT_S or throttle."),
]

ProcurementFaults = Annotated[
    list[str] | None,
    typer.Option("--fault", help="outage:DAY:DAYS, late:EVERY (answers come too late), price:DAY or duplicates."),
]


@commands.command("requests")
def simulate_the_requests(
    trace: Trace,
    load: Annotated[float, typer.Option(help="Work offered, as a multiple of the holder's capacity.")] = 0.9,
    seeds: Annotated[int, typer.Option(help="Replays: the first as recorded, the others resampled by the minute.")] = 1,
    patience: Annotated[float, typer.Option(help="Seconds within which an answer must be done.")] = 10.0,
    output_weight: Annotated[float, typer.Option(help="Work tokens of one output token.")] = 1.0,
    caution: Annotated[float, typer.Option(help="Standard deviations of unknown work kept free.")] = 2.0,
    dedicated_every: Annotated[int, typer.Option(help="Each so many-th request is for the holder only.")] = 0,
    right_share: Annotated[float, typer.Option(help="The right ends after this share of the trace.")] = 1.0,
    most: Annotated[int, typer.Option(help="Read or draw no more requests than this.")] = 200_000,
    fault: FaultTexts = None,
    plot: Plot = None,
    keep: Keep = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Replay single requests: what the holder serves, what spills and why, beside a clairvoyant optimum."""
    study = Study(
        load, seeds, patience, output_weight, caution, dedicated_every, most, right_share, read_faults(fault or [])
    )
    with progress("replaying") as tell:
        per_s, runs = simulate_requests(trace, study, tell)
    if plot is not None:
        draw("draw_requests", plot, runs)
    summary = summarise(per_s, runs, study)
    show(summary, as_json=as_json)
    # Last: where no service is to keep it, what was found has been told.
    if keep:
        keep_found("requests", trace, summary, plot_requests(runs[0]), data_dir)


@commands.command("procurement")
def simulate_the_procurement(
    trace: Trace,
    history: Annotated[Path | None, typer.Option(help="An earlier trace, which the policy may learn from.")] = None,
    block_days: Annotated[int, typer.Option(help="Days that a commitment runs.")] = 1,
    on_demand_price: Annotated[float, typer.Option(help="Per unit and hour, when used.")] = 1.0,
    holder_price: Annotated[float, typer.Option(help="The holder's, per committed unit and hour.")] = 0.6,
    third_price: Annotated[float, typer.Option(help="The third party's, per committed unit and hour.")] = 0.55,
    holder_share: Annotated[float, typer.Option(help="What the holder has, as a share of the mean demand.")] = 0.6,
    mode: Annotated[Mode, typer.Option(help="What the right is to.")] = Mode.FIRST_OFFER,
    response_hours: Annotated[float, typer.Option(help="How long the holder may think.")] = 72.0,
    answer_hours: Annotated[float, typer.Option(help="How long the simulated holder thinks.")] = 24.0,
    tolerance: Annotated[int, typer.Option(help="Percent by which a third party's terms may be better.")] = 0,
    lookback_days: Annotated[int, typer.Option(help="Days of recent demand that the policy looks at.")] = 7,
    output_weight: Annotated[float, typer.Option(help="Work tokens of one output token.")] = 1.0,
    unit: Annotated[float | None, typer.Option(help="Work tokens a second of one unit.")] = None,
    fault: ProcurementFaults = None,
    plot: Plot = None,
    keep: Keep = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Buy capacity day by day under a right of first refusal, beside a clairvoyant optimum with and without it."""
    asked = Asked(
        block_days,
        on_demand_price,
        holder_price,
        third_price,
        holder_share,
        mode,
        response_hours,
        answer_hours,
        tolerance,
        lookback_days,
        output_weight,
        unit,
        **read_procurement_faults(fault or []),
    )
    with progress("buying") as tell:
        outcome = simulate_procurement(trace, history, asked, tell)
    if plot is not None:
        draw("draw_procurement", plot, outcome)
    summary = summarise_procurement(outcome, asked)
    show(summary, as_json=as_json)
    # Last: where no service is to keep it, what was found has been told.
    if keep:
        keep_found("procurement", trace, summary, plot_procurement(outcome), data_dir)


def read_procurement_faults(texts: list[str]) -> dict[str, Any]:
    """Read faults as the command line writes them.

    Raises:
        BadRequest: an unknown fault or a number that is none.
    """
    faults: dict[str, Any] = {}
    for text in texts:
        name, *values = text.split(":")
        if any(not value.isdecimal() or len(value) > 6 for value in values):
            raise BadRequest(f"--fault {text}: after {name} come whole numbers; see --help")
        numbers = [int(value) for value in values]
        if name == "outage" and len(numbers) == 2:
            faults["outage_days"] = (numbers[0], numbers[0] + numbers[1])
        elif name == "late" and len(numbers) == 1:
            faults["silent_every"] = numbers[0]
        elif name == "price" and len(numbers) == 1:
            faults["price_change_day"] = numbers[0]
        elif name == "duplicates" and not numbers:
            faults["duplicates"] = True
        else:
            raise BadRequest(f"--fault {text} is unknown; known are outage, late, price, duplicates; see --help")
    return faults


def read_faults(texts: list[str]) -> Faults:
    """Read faults as the command line writes them.

    Raises:
        BadRequest: an unknown fault or a number that is none.
    """
    outages, numbers = [], {"late": 0.0, "duplicates": 0.0, "price": -1.0, "throttle": 0.0}
    for text in texts:
        name, *values = text.split(":")
        try:
            amounts = [float(value) for value in values]
        except ValueError:
            raise BadRequest(f"--fault {text}: after {name} come numbers; see --help") from None
        if any(not 0 <= amount < 1e9 for amount in amounts):
            raise BadRequest(f"--fault {text}: numbers must be zero or more and below 1000000000")
        if name == "outage" and len(amounts) == 2:
            outages.append((round(amounts[0] * MICROSECONDS), round((amounts[0] + amounts[1]) * MICROSECONDS)))
        elif name in numbers and len(amounts) == (0 if name == "throttle" else 1):
            numbers[name] = amounts[0] if amounts else 1.0
        else:
            raise BadRequest(
                f"--fault {text} is unknown; known are outage, late, duplicates, price, throttle; see --help"
            )
    return Faults(
        merge(outages),
        round(numbers["late"] * MICROSECONDS),
        int(numbers["duplicates"]),
        round(numbers["price"] * MICROSECONDS) if numbers["price"] >= 0 else None,
        bool(numbers["throttle"]),
    )


def merge(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sort spans and join those that touch."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """Show a bar on standard error while something long runs; nothing when that is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def draw(function: str, path: Path, *data: object) -> None:
    """Draw a PNG; matplotlib is loaded only now.

    Raises:
        SetupError: the extra is not installed.
    """
    getattr(import_module("primeur.walks.draw_simulation"), function)(path, *data)


def show(result: Mapping[str, object], *, as_json: bool) -> None:
    """Print a result as one JSON object or as a table."""
    if as_json:
        typer.echo(json.dumps(result))
        return
    table = Table("what", "value")
    for name, value in result.items():
        if not isinstance(value, list):
            table.add_row(name.replace("_", " "), f"{value:,.4f}" if isinstance(value, float) else str(value))
    Console().print(table)
