"""The table of one run: medians over its rounds, ratios to nginx and to each peer."""

import statistics
from typing import Any

from rich.console import Console
from rich.table import Table

Result = dict[str, Any]


def medians(result: Result) -> dict[str, dict[str, float]]:
    """Give each party's figures; latencies are added microseconds over the upstream asked directly."""
    direct = result["parties"]["direct"]
    found: dict[str, dict[str, float]] = {}
    for name, party in result["parties"].items():
        if name == "direct":
            continue
        row: dict[str, float] = {}
        for level, rounds in party["levels"].items():
            before = direct["levels"][level]
            row[f"errors@{level}"] = sum(one["errors"] for one in rounds)
            if not _middle(rounds, "requests"):
                # Who answered nothing has no latency; wrk then says 0.
                continue
            row[f"added_p50_us@{level}"] = _middle(rounds, "p50_us") - _middle(before, "p50_us")
            row[f"added_p99_us@{level}"] = _middle(rounds, "p99_us") - _middle(before, "p99_us")
        most = party["levels"].get(64) or party["levels"]["64"]
        row["requests_per_cpu_s@64"] = statistics.median(one["requests"] / one["cpu_s"] for one in most)
        row["steady_added_p99_us@64"] = statistics.median(
            one["through_p99_us"] - one["direct_p99_us"] for one in party["steady"]
        )
        row["events_per_cpu_s@32"] = statistics.median(one["events"] / one["cpu_s"] for one in party["streams"])
        if row["events_per_cpu_s@32"]:
            first_us, before_us = (_middle(one["streams"], "first_p50_us") for one in (party, direct))
            row["added_first_event_p50_us@32"] = first_us - before_us
        row["memory_idle_mb"], row["memory_after_mb"] = party["memory_idle_mb"], party["memory_after_mb"]
        row["requests"] = party["requests"]
        if "slow_streams" in party:
            row["slow_added_gap_p99_us"] = party["slow_streams"]["gap_p99_us"] - direct["slow_streams"]["gap_p99_us"]
        found[name] = row
    return found


def print_table(result: Result) -> None:
    """Print what was measured, on any terminal."""
    rows, console = medians(result), Console(width=140)
    names = list(rows)
    table = Table(title=f"{result['began']}, {result['cpu']}, {result['cores']} cores, medians")
    for column in ("", *(f"{name} {result['parties'][name]['version']}" for name in names)):
        table.add_column(column, justify="left" if not column else "right")
    for key in rows["Primeur"]:
        table.add_row(key, *(f"{rows[name][key]:,.0f}" if key in rows[name] else "-" for name in names))
    for key in ("requests_per_cpu_s@64", "events_per_cpu_s@32"):
        mine = rows["Primeur"][key]
        table.add_row(f"Primeur's {key}, ratio", *(_ratio(mine, rows[name][key]) for name in names))
    console.print(table)
    for name, why in result["missing"].items():
        console.print(f"{name} is not in the table: {why}", markup=False)
    direct = result["parties"]["direct"]["levels"]
    ceiling = _middle(direct.get(64) or direct["64"], "requests") / _middle(direct.get(64) or direct["64"], "seconds")
    console.print(f"The upstream asked directly at 64 concurrent: {ceiling:,.0f} requests/s")
    even = result["evenness"]
    console.print(
        f"The machine alone: a piece of work of {even['piece_us']:.0f} us took three times that in "
        f"{even['slow_share']:.1%} of the pieces, for {max(even['phases_ms'], default=0)} ms on end at most"
    )
    console.print(f"Books: {result['checks']['books']}", markup=False)
    console.print(f"Limits: {result['checks']['limits']}", markup=False)


def _ratio(mine: float, other: float) -> str:
    return f"{mine / other:,.2f}x" if other else "-"


def _middle(rounds: list[dict[str, float]], key: str) -> float:
    return float(statistics.median(one[key] for one in rounds))
