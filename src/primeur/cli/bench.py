"""``primeur bench``: how fast one deployment is, over how many ask at a time."""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from primeur.cli.bench_load import Load, calibrate, endpoint_of, run_level
from primeur.cli.bench_plot import check_png, draw, draw_png
from primeur.cli.reach import Reach, find_service
from primeur.core.errors import BadRequest
from primeur.metering.benchmarks import Level, summarise
from primeur.relay.pool import Pool

_MOST_AT_A_TIME = 1024
_FEWEST_REQUESTS = 8
_ROUNDS = 4


def bench(
    deployment: Annotated[str, typer.Argument(help="What to measure.")],
    concurrency: Annotated[str, typer.Option(help="Requests at a time, one level after the other.")] = "1,2,4,8,16",
    requests: Annotated[int | None, typer.Option(min=1, help="Requests of each level; 4 rounds by default.")] = None,
    prompt_tokens: Annotated[int, typer.Option(min=1, max=1_000_000, help="About so long is a prompt.")] = 64,
    output_tokens: Annotated[int, typer.Option(min=1, max=100_000, help="So long is an answer at most.")] = 64,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the service; else PRIMEUR_URL, PRIMEUR_KEY.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    png: Annotated[Path | None, typer.Option(help="Also draw a picture (needs the extra `plot`).")] = None,
) -> None:
    """Measure tokens a second, time to first token and between tokens, by real streaming requests.

    The requests are ordinary ones: they pass keys and limits, and are metered and paid for.
    """
    levels = read_levels(concurrency)
    if png is not None:
        check_png(png)
    load = Load(deployment, prompt_tokens, output_tokens)
    found = measure(find_service(data_dir), load, levels, requests)
    title = f"{deployment}: {found[0].input_tokens:.0f} tokens in, {found[0].output_tokens:.0f} out"
    if as_json:
        print(json.dumps([asdict(level) for level in found], indent=2))  # noqa: T201
    else:
        _show(title, found)
    if png is not None:
        draw_png(found, title, png)


def read_levels(words: str) -> list[int]:
    """Read ``1,2,4``.

    Raises:
        BadRequest: not a list of whole numbers, or one that is too large.
    """
    parts = [part.strip() for part in words.split(",")]
    if not all(part.isdigit() and 0 < int(part) <= _MOST_AT_A_TIME for part in parts):
        raise BadRequest(f"--concurrency takes numbers from 1 to {_MOST_AT_A_TIME} like 1,2,4, not {words!r}")
    return sorted({int(part) for part in parts})


def requests_of(level: int, wanted: int | None) -> int:
    """How often a level asks: as often as *wanted*, else a few rounds of everybody."""
    return wanted or max(_FEWEST_REQUESTS, _ROUNDS * level)


def measure(reach: Reach, load: Load, levels: list[int], requests: int | None) -> list[Level]:
    """Make the load of each level, one after the other, and sum it up."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(reach, load, levels, requests))


async def _run(reach: Reach, load: Load, levels: list[int], requests: int | None) -> list[Level]:
    found: list[Level] = []
    pool, endpoint = Pool(tls=reach.tls if reach.cert else None), endpoint_of(reach, max(levels))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            warming = progress.add_task("warming up", total=1)
            await calibrate(pool, endpoint, load)
            progress.update(warming, completed=1)
            for level in levels:
                count = requests_of(level, requests)
                task = progress.add_task(f"{level} at a time", total=count)
                samples = await run_level(pool, endpoint, load, level, count, lambda: progress.advance(task))  # noqa: B023
                found.append(summarise(level, samples))
    finally:
        await pool.aclose()
    return found


def _show(title: str, found: list[Level]) -> None:
    # A plot needs a width; a pipe has none of its own.
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    with suppress(BrokenPipeError):
        console.print(title, style="bold", markup=False)
        console.print()
        console.print(draw(found))
        for level in found:
            if level.failed:
                words = f"{level.failed} of {level.requests} failed at {level.concurrency} at a time"
                console.print(f"\n{words}: {'; '.join(level.faults)}", style="red", markup=False, soft_wrap=True)
