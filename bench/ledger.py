"""Measure the books: what a request costs in the journal and in the batch writer, and how long a month's report takes.

Run: PYTHONPATH=src python bench/ledger.py [--postgres URL] [--requests N] [--report-rows N] [--json FILE]

The writer is the one that runs in the service (`primeur.walks.book_usage`): usage row, transaction, four legs,
balances, chain of hashes, sums by hour and day, and cursor, one transaction a batch, SQLite in WAL with full sync. Each
rate is told twice: by the clock, and by the processor time of this process, which others on the machine disturb less.
What PostgreSQL's own process takes is not in the latter.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from primeur.core.ids import make_id
from primeur.core.usage import Usage, UsageEvent
from primeur.ledger.audit import prove
from primeur.metering.rates import Rate
from primeur.metering.rows import Cursor
from primeur.metering.usage_rows import DAY_MS, By, sum_usage
from primeur.store.bulk import insert_rows
from primeur.store.database import Store
from primeur.store.journal import FileJournal
from primeur.store.schema.metering import SUMMED_BY, SUMS
from primeur.walks.book_usage import Terms, book_usage

NOW_MS = 1_790_000_000_000
BATCH, PROJECTS, KEYS, DEPLOYMENTS = 10_000, 20, 100, 4
DAYS, REPORTS = 30, ("key", "deployment", "project", "day", "model")
BUY = Rate("price_buy", "buy", "rack", "", "USD", {"input": ((0, 900),), "output": ((0, 3600),)}, 0, 0)


def make_events(count: int, first: int = 0) -> list[UsageEvent]:
    """Requests as a busy hour has them: ids in the order of time, a hundred keys, four deployments."""
    dice = random.Random(first)  # noqa: S311 (a benchmark's dice need a seed)
    return [_event(number, dice) for number in range(first, first + count)]


def _event(number: int, dice: random.Random) -> UsageEvent:
    at_ms, usage = NOW_MS + number // 60, Usage(dice.randint(10, 4000), 0, dice.randint(1, 500))
    key, deployment = dice.randrange(KEYS), dice.randrange(DEPLOYMENTS)
    return UsageEvent(
        id=make_id("request", at_ms, dice.randbytes), at_ms=at_ms, route="chat", outcome="completed", status=200,
        project_id=f"prj_{key % PROJECTS:026d}", key_id=f"key_{key:026d}", deployment=f"model-{deployment}",
        revision_id=f"rev_{deployment:026d}", provider="rack", usage=usage, currency="USD", price_id="price_list",
        cost_nanos=usage.input_tokens * 2500 + usage.output_tokens * 10_000, streamed=True, first_token_us=90_000,
        duration_us=900_000, overhead_us=200, address="192.0.2.1",
    )  # fmt: skip


def measure_writer(url: str, count: int) -> dict[str, Any]:
    """Book *count* requests into a fresh database; give rates by clock and by processor time."""
    store, terms = Store(url), Terms([BUY])
    walls, costs = [], []
    try:
        for first in range(0, count, BATCH):
            events = make_events(BATCH, first)
            gc.collect()
            cursor = Cursor("bench", 1, first)
            wall, cost = time.perf_counter(), time.process_time()
            store.transact_now(lambda tx, events=events, cursor=cursor: book_usage(tx, events, terms, cursor))
            walls.append(time.perf_counter() - wall)
            costs.append(time.process_time() - cost)
        proof = store.read_now(prove)
    finally:
        store.close()
    assert proof.ok, proof
    assert proof.transactions == len(walls) * BATCH
    return {
        "requests": proof.transactions,
        "per_second": len(walls) * BATCH / sum(walls),
        "per_second_median_batch": BATCH / statistics.median(walls),
        "per_cpu_second": len(costs) * BATCH / sum(costs),
        "per_cpu_second_best_batch": BATCH / min(costs),
    }


async def measure_journal(folder: Path, count: int) -> dict[str, float]:
    """Append *count* events, sixty-four at a time as busy streams end; the loop's own time in it is not taken off."""
    journal, events = FileJournal(folder), make_events(count)
    loop, costs = asyncio.get_running_loop(), []
    for start in range(0, count, 64):
        left, done = 64, loop.create_future()

        def ended(_: OSError | None, done: asyncio.Future[None] = done) -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set_result(None)

        batch = events[start : start + 64]
        left = len(batch)
        began = time.thread_time()
        for event in batch:
            journal.append_soon(event, ended)
        await done
        costs.append((time.thread_time() - began) / len(batch) * 1e6)
    await journal.aclose()
    return {"appends": count, "cpu_us": statistics.median(costs), "cpu_us_mean": statistics.fmean(costs)}


def measure_reports(url: str, rows: int, requests_a_row: int) -> dict[str, Any]:
    """Fill *rows* sums of days into a database, and ask for the month by everything there is."""
    store = Store(url)
    try:
        for page in _sums(rows, requests_a_row):
            store.transact_now(lambda tx, page=page: insert_rows(tx, "usage_days", (*SUMMED_BY, *SUMS), page))
        took = {by: _report(store, by) for by in REPORTS}
    finally:
        store.close()
    return {"requests": rows * requests_a_row, "sums": rows, "seconds": took}


def _report(store: Store, by: By) -> float:
    began = time.perf_counter()
    found = store.read_now(partial(sum_usage, by=by, from_ms=0, to_ms=DAYS * DAY_MS))
    assert sum(line.requests for line in found)
    return time.perf_counter() - began


def _sums(rows: int, requests: int) -> Iterator[list[Any]]:
    keys = rows // DAYS // DEPLOYMENTS
    for day in range(DAYS):
        page: list[Any] = []
        for key in range(keys):
            for deployment in range(DEPLOYMENTS):
                who = (f"prj_{key % PROJECTS:026d}", f"key_{key:026d}")
                which = (f"model-{deployment}", f"rev_{deployment:026d}", "rack", "USD")
                sums = (requests, 0, 0, requests * 2000, 0, requests * 250, 0, 0, 0, requests * 7_500_000, 0, 0)
                page += (day * DAY_MS, *who, *which, *sums)
        yield page


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", help="postgresql+psycopg://... of an empty database that may be written to")
    parser.add_argument("--requests", type=int, default=200_000, help="how many the writer books")
    parser.add_argument("--report-rows", type=int, default=240_000, help="sums of days that the reports read")
    parser.add_argument("--requests-a-row", type=int, default=417, help="requests that each of them stands for")
    parser.add_argument("--json", type=Path, help="file for the figures")
    asked = parser.parse_args()
    figures: dict[str, Any] = {"machine": f"{os.cpu_count()} x {platform.processor() or platform.machine()}"}
    folder = Path(tempfile.mkdtemp(prefix="primeur-bench-"))
    try:
        figures["journal"] = asyncio.run(measure_journal(folder / "journal", min(asked.requests, 100_000)))
        figures["sqlite"] = measure_writer(f"sqlite:///{folder / 'books.db'}", asked.requests)
        figures["reports"] = measure_reports(f"sqlite:///{folder / 'sums.db'}", asked.report_rows, asked.requests_a_row)
    finally:
        shutil.rmtree(folder)
    if asked.postgres:
        figures["postgresql"] = measure_writer(asked.postgres, asked.requests)
    out = Console()
    for name, found in figures.items():
        if isinstance(found, dict):
            table = Table("figure", "value", title=name)
            for figure, value in found.items():
                table.add_row(figure, f"{value:,.2f}" if isinstance(value, float) else str(value))
            out.print(table)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
