"""``primeur capacity serving``: who serves what share of each deployment, and why."""

from collections import Counter
from typing import Annotated

import typer

from primeur.cli.client import connect
from primeur.cli.show import AsJson, DataDir, print_list
from primeur.machine import SystemClock

_HOUR_MS = 3_600_000


def show_serving(
    hours: Annotated[float, typer.Option(min=0.01, max=8784, help="Of the last so many hours.")] = 1.0,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show who served what share of each deployment's requests, and why it was not the holder."""
    from_ms = SystemClock().now_ms() - round(hours * _HOUR_MS)
    with connect(data_dir) as api:
        found = api.get("capacity/serving", from_ms=from_ms)["data"]
    wholes: Counter[str] = Counter()
    for each in found:
        wholes[each["deployment"]] += each["requests"]
    columns = {
        "deployment": lambda each: each["deployment"],
        "served by": lambda each: each["provider"],
        "reason": lambda each: each["refusal"],
        "share": lambda each: f"{each['requests'] / wholes[each['deployment']]:.0%}",
        "requests": lambda each: each["requests"],
        "tokens": lambda each: each["tokens"],
    }
    print_list(found, columns, as_json=as_json, nothing="Nothing was served in this time.")
