"""Measure the broker: decisions with 32 candidates, replay speed, and ratios to the optimum on the real traces.

Run: PYTHONPATH=src python bench/broker.py [--traces ../shared/traces]
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from primeur.broker.fluid import spilled_at_least
from primeur.broker.headroom import Capacity, Headroom
from primeur.broker.lengths import Lengths
from primeur.broker.placement import Candidate, Need, Preference, Shortlist
from primeur.broker.traces import MICROSECONDS, Trace
from primeur.walks.plan_procurement import Asked, Plan, market_of, right_of
from primeur.walks.read_demand import read_demands
from primeur.walks.read_trace import read_requests
from primeur.walks.replay_procurement import DAY_WINDOWS, WINDOW_HOURS, Procurement
from primeur.walks.replay_requests import HOLDER, Replay, Scenario
from primeur.walks.simulate_requests import resample
from primeur.walks.solve_procurement import solve_procurement

CANDIDATES, DECISIONS, ROUNDS = 32, 5_000, 5
LOADS = (0.8, 0.9, 1.0, 1.1, 1.2)
AZURE = ("azure_llm_2023_conv", "azure_llm_2023_code")


def candidates(work_per_s: float, last_work_per_s: float) -> list[Candidate]:
    """Make 32, of which the last one has another capacity."""
    rates = [work_per_s] * (CANDIDATES - 1) + [last_work_per_s]
    lengths = Lengths()
    return [
        Candidate(HOLDER if n == 0 else f"p{n:02}", Headroom(Capacity(rate), lengths), "home", price_nanos=n)
        for n, rate in enumerate(rates)
    ]


def decision_us(work_per_s: float, *, fresh: bool) -> float:
    """Give the median time of one decision; *fresh* applies the hard filters anew each time."""
    everyone = candidates(work_per_s, 1e15)
    need = Need(zones=frozenset({"home"}))
    shortlist = Shortlist(need, everyone, Preference(HOLDER))
    taken = []
    for request in range(DECISIONS):
        start = time.thread_time_ns()
        if fresh:
            shortlist = Shortlist(need, everyone, Preference(HOLDER))
        shortlist.place(request, request, 1000, 10 * MICROSECONDS)
        taken.append(time.thread_time_ns() - start)
    return statistics.median(taken) / 1000


def replay_once(trace: Trace, load: float, weight: float = 1.0, patience_s: int = 10) -> tuple[float, float, float]:
    """Give requests a second, spilled work and the optimum's."""
    per_s = sum(trace.work(weight)) / trace.duration_us * MICROSECONDS / load
    replay = Replay(trace, Scenario(Capacity(per_s, patience_s, weight), patience_s * MICROSECONDS))
    start = time.process_time()
    log = replay.run()
    speed = len(trace) / (time.process_time() - start)
    held = {n for n, p in enumerate(log.final) if p and p.target is replay.holder} - set(log.late)
    spilled = sum(size for n, size in enumerate(replay.work) if n not in held)
    floor = sum(spilled_at_least(trace.arrivals_us, replay.work, replay.supply, patience_s * MICROSECONDS))
    return speed, spilled, floor


def measure_decisions(console: Console) -> None:
    """Print how long one decision takes."""
    table = Table(
        "decision with 32 candidates", "median us", title="Request-level decision, CPU time (goal: below 20 us)"
    )
    table.add_row("the holder takes it", f"{decision_us(1e15, fresh=False):.2f}")
    table.add_row("31 are full, the last takes it", f"{decision_us(1.0, fresh=False):.2f}")
    table.add_row("the same, hard filters applied anew", f"{decision_us(1.0, fresh=True):.2f}")
    console.print(table)


def measure_replays(console: Console, folder: Path) -> None:
    """Print how fast traces replay."""
    table = Table(
        "trace", "load", "requests/s, best of 5", title="Replay speed, CPU time of one core (goal: 300,000 requests/s)"
    )
    for name in AZURE:
        trace = read_requests(folder / f"{name}.csv.gz", most=1_000_000)
        for load in (0.8, 1.0, 1.2):
            table.add_row(name, str(load), f"{max(replay_once(trace, load)[0] for _ in range(ROUNDS)):,.0f}")
    console.print(table)


def measure_ratios(console: Console, folder: Path) -> None:
    """Print spilled work over the clairvoyant optimum's, as recorded and the mean of five seeds."""
    columns = ["trace", "output weight", "patience s", *(f"load {load}" for load in LOADS)]
    table = Table(*columns, title="Spilled work / optimum, as recorded | over 5 seeds (goal: 1.05)")
    for name in AZURE:
        recorded = read_requests(folder / f"{name}.csv.gz", most=1_000_000)
        traces = [recorded, *(resample(recorded, seed) for seed in range(1, 5))]
        for weight, patience_s in ((1.0, 5), (1.0, 10), (1.0, 30), (4.0, 5), (4.0, 10), (4.0, 30)):
            cells = []
            for load in LOADS:
                runs = [replay_once(trace, load, weight, patience_s)[1:] for trace in traces]
                sums = [sum(run[n] for run in runs) for n in (0, 1)]
                cells.append(f"{quotient(*runs[0])} | {quotient(*sums)}")
            table.add_row(name, str(weight), str(patience_s), *cells)
    console.print(table)


def measure_procurement(console: Console, folder: Path) -> None:
    """Print what buying costs over the optimum on the last days of each ServeGen model, fitted on the days before."""
    table = Table(
        "model",
        "fitted on",
        "judged on",
        "1-day blocks",
        "7-day blocks",
        title="Cost / optimum with the right (goals: 1.10, 1.15)",
    )
    for model in ("m-small", "m-mid", "m-large"):
        path = folder / f"servegen_{model}_windows.csv.gz"
        _, whole = read_demands(None, path, 1.0)
        for days in (1, 2, 3, 4, 6, 7):
            cells = [procurement_ratio(whole.work_per_s, days * DAY_WINDOWS, block) for block in (1, 7)]
            table.add_row(model, f"{days} days", f"{10 - days} days", *(f"{cell:.3f}" for cell in cells))
    console.print(table)


def procurement_ratio(work: Sequence[float], cut: int, block_days: int) -> float:
    """Give the policy's cost over the optimum's."""
    asked = Asked(block_days)
    unit = sum(work[:cut]) / cut / 100
    past, demand = ([each / unit for each in part] for part in (work[:cut], work[cut:]))
    market = market_of(asked, 100.0)
    ledger = Procurement(past, demand, market, Plan(block_days, right_of(asked))).run()
    cost = sum(day.committed_cost + day.on_demand_cost for day in ledger.days)
    return cost / WINDOW_HOURS / solve_procurement(demand, market, DAY_WINDOWS, block_days, holder_first=True)


def quotient(spilled: float, floor: float) -> str:
    """Write a ratio, or that the optimum spills nothing."""
    return f"{spilled / floor:.3f}" if floor > 0 else ("1" if spilled == 0 else "none/0")


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, default=Path(__file__).parents[1] / ".." / "shared" / "traces")
    folder = parser.parse_args().traces
    console = Console(width=140)
    measure_decisions(console)
    measure_replays(console, folder)
    measure_ratios(console, folder)
    measure_procurement(console, folder)


if __name__ == "__main__":
    main()
