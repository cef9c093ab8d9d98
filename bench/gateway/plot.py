"""Draw one run: requests and events per CPU-second, and added latency by concurrency.

Run: PYTHONPATH=. python -m bench.gateway.plot bench/results/DATE.json docs/performance
"""

import argparse
import json
from pathlib import Path

import matplotlib as mpl
from bench.gateway.table import Result, medians

mpl.use("svg")
from matplotlib import pyplot as plt

_SIZE = (7.2, 3.2)


def draw_rates(result: Result, path: Path) -> None:
    """Two bars for each party, on a scale of powers of ten."""
    rows = medians(result)
    figure, axes = plt.subplots(1, 2, figsize=_SIZE, layout="constrained")
    for axis, (key, title) in zip(
        axes,
        (("requests_per_cpu_s@64", "Requests per CPU-second, 64 at once"), ("events_per_cpu_s@32", "Events per CPU-s")),
        strict=True,
    ):
        names = [name for name in rows if rows[name][key] > 0]
        bars = axis.barh(names, [rows[name][key] for name in names], log=True)
        axis.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8)
        axis.set_title(title, fontsize=9)
        axis.margins(x=0.25)
        axis.invert_yaxis()
    figure.savefig(path)
    plt.close(figure)


def draw_latency(result: Result, path: Path) -> None:
    """Added p50 by concurrency, one line for each party."""
    figure, axis = plt.subplots(figsize=_SIZE, layout="constrained")
    for name, row in medians(result).items():
        pairs = sorted(
            (int(key.partition("@")[2]), value) for key, value in row.items() if key.startswith("added_p50_us@")
        )
        axis.plot([level for level, _ in pairs if level <= 256], [us / 1e3 for _, us in pairs], marker="o", label=name)
    axis.set_xscale("log", base=4)
    axis.set_yscale("log")
    axis.set_xlabel("requests at once")
    axis.set_ylabel("added p50, ms")
    axis.legend(fontsize=8)
    figure.savefig(path)
    plt.close(figure)


def main() -> None:
    """Read, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    result = json.loads(options.result.read_bytes())
    options.folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams["svg.hashsalt"] = "primeur"
    draw_rates(result, options.folder / "rates.svg")
    draw_latency(result, options.folder / "latency.svg")


if __name__ == "__main__":
    main()
