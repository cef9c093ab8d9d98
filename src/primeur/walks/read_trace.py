"""Read a trace of requests from a file, whatever columns it has."""

import csv
import gzip
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random

from primeur.broker.traces import (
    MICROSECONDS,
    WINDOW_S,
    Trace,
    Window,
    from_requests,
    is_windows,
    parse_requests,
    parse_windows,
)
from primeur.core.errors import BadRequest

LENGTHS_S = 21_600
_SHARES = {
    "p1": 0.01,
    "p5": 0.05,
    "p10": 0.1,
    "p25": 0.25,
    "p50": 0.5,
    "p75": 0.75,
    "p90": 0.9,
    "p95": 0.95,
    "p99": 0.99,
}
_UNKNOWN_TOKENS = {"input": 512.0, "output": 128.0}


@dataclass(frozen=True)
class LengthTable:
    """How long prompts and answers of a ServeGen model are.

    Attributes:
        means: (client, window of six hours) to mean input and output tokens.
        quantiles: the same, to (share, input tokens, output tokens), shares rising from 0 to 1.
        overall: mean input and output tokens where a client is not listed.
    """

    means: Mapping[tuple[str, int], tuple[float, float]] = field(default_factory=dict)
    quantiles: Mapping[tuple[str, int], Sequence[tuple[float, float, float]]] = field(default_factory=dict)
    overall: tuple[float, float] = (_UNKNOWN_TOKENS["input"], _UNKNOWN_TOKENS["output"])

    def mean(self, client: str, start_s: int) -> tuple[float, float]:
        """Give mean input and output tokens of a client's requests."""
        return self.means.get((client, start_s // LENGTHS_S), self.overall)


@contextmanager
def open_table(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """Open a .csv or .csv.gz and give its header and its rows.

    Raises:
        BadRequest: no such file, not gzip, not text, not CSV, or empty.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = [column.strip() for column in next(rows, [])]
            if not header:
                raise BadRequest(f"{path} is empty; give a trace with a header and at least one row")
            yield header, rows
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise BadRequest(f"cannot read the trace {path}: {error}; give a .csv or .csv.gz file") from None


def read_requests(path: Path, *, most: int, seed: int = 0) -> Trace:
    """Read single requests, or draw them from ServeGen's windows.

    Args:
        most: read or draw no more requests than this.
        seed: of the draw.

    Raises:
        BadRequest: see `open_table` and `primeur.broker.traces`.
    """
    with open_table(path) as (header, rows):
        if is_windows(header):
            return draw_requests(path.name, read_windows(path), read_lengths(path), most=most, seed=seed)
        return parse_requests(path.name, header, (row for _, row in zip(range(most), rows, strict=False)))


def read_windows(path: Path) -> list[Window]:
    """Read ServeGen's windows.

    Raises:
        BadRequest: see `open_table` and `primeur.broker.traces`.
    """
    with open_table(path) as (header, rows):
        windows = list(parse_windows(path.name, header, rows))
    if not windows:
        raise BadRequest(f"{path.name} has no windows; give a trace with at least one row")
    return windows


def lengths_beside(path: Path) -> Path | None:
    """Find the table of lengths that belongs to a table of windows: same name, or the same model's."""
    exact = path.with_name(path.name.replace("windows", "lengths"))
    if exact != path and exact.exists():
        return exact
    model = path.name.split("_windows")[0]
    return next(iter(sorted(path.parent.glob(f"{model}_lengths*.csv*"))), None) if "_windows" in path.name else None


def read_lengths(*paths: Path) -> LengthTable:
    """Read the lengths beside tables of windows; where there are none, 512 tokens in and 128 out are taken.

    Raises:
        BadRequest: a table of lengths that cannot be read.
    """
    cells: dict[tuple[str, int], dict[str, dict[str, float]]] = defaultdict(dict)
    for path in dict.fromkeys(filter(None, map(lengths_beside, paths))):
        with open_table(path) as (header, rows):
            for line, row in enumerate(rows, start=2):
                record = dict(zip(header, row, strict=False))
                try:
                    key = (record["client"], int(float(record["window_start_s"])) // LENGTHS_S)
                    numbers = {name: float(record[name]) for name in ("mean", *_SHARES, "max")}
                except (KeyError, ValueError) as error:
                    raise BadRequest(f"{path.name} line {line} is no row of lengths: {error}") from None
                cells[key][record["field"]] = numbers
    return _table(cells) if cells else LengthTable()


def _table(cells: Mapping[tuple[str, int], Mapping[str, Mapping[str, float]]]) -> LengthTable:
    means, quantiles = {}, {}
    for key, fields in cells.items():
        into = [v for name, v in fields.items() if name.endswith("_tokens") and name != "output_tokens"]
        out = [v for name, v in fields.items() if name == "output_tokens"]
        means[key] = (sum(v["mean"] for v in into), sum(v["mean"] for v in out))
        points = {**_SHARES, "max": 1.0}
        steps = [(share, sum(v[p] for v in into), sum(v[p] for v in out)) for p, share in points.items()]
        quantiles[key] = [(0.0, *steps[0][1:]), *steps]
    count = len(means)
    overall = (sum(m[0] for m in means.values()) / count, sum(m[1] for m in means.values()) / count)
    return LengthTable(means, quantiles, overall)


def draw_requests(name: str, windows: Sequence[Window], lengths: LengthTable, *, most: int, seed: int) -> Trace:
    """Draw single requests from windows: a renewal process per client and window, lengths by their quantiles.

    Windows are drawn in the order of their time until there are *most* requests.

    Raises:
        BadRequest: no requests came of it.
    """
    dice = Random(seed)  # noqa: S311 - a simulation, and it must repeat
    found: list[tuple[int, int, int]] = []
    start_s = -1
    for window in sorted(windows, key=lambda w: w.start_s):
        if len(found) >= most and window.start_s != start_s:
            break
        start_s = window.start_s
        found.extend(_arrivals(window, lengths, dice, most))
    found.sort()
    return from_requests(name, found[:most])


def _arrivals(window: Window, lengths: LengthTable, dice: Random, most: int) -> Iterator[tuple[int, int, int]]:
    if window.rate_rps <= 0 or window.shape <= 0 or window.scale <= 0:
        return
    steps = lengths.quantiles.get((window.client, window.start_s // LENGTHS_S))
    at_s = 0.0
    for _ in range(most):
        gamma = window.pattern == "G"
        at_s += (
            dice.gammavariate(window.shape, window.scale) if gamma else dice.weibullvariate(window.scale, window.shape)
        )
        if at_s >= WINDOW_S:
            return
        sizes = lengths.overall if steps is None else (_quantile(steps, dice, 1), _quantile(steps, dice, 2))
        yield round((window.start_s + at_s) * MICROSECONDS), max(1, round(sizes[0])), max(1, round(sizes[1]))


def _quantile(steps: Sequence[tuple[float, float, float]], dice: Random, which: int) -> float:
    share = dice.random()
    for low, high in pairwise(steps):
        if share <= high[0]:
            return low[which] + (high[which] - low[which]) * (share - low[0]) / (high[0] - low[0])
    return steps[-1][which]
