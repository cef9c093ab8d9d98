"""Read the demand for capacity from a trace: work a second, window by window."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from primeur.broker.traces import MICROSECONDS, WINDOW_S, Window, is_windows
from primeur.core.errors import BadRequest
from primeur.walks.read_trace import LengthTable, open_table, read_lengths, read_requests, read_windows

DAY_S = 86_400
WINDOWS_A_DAY = DAY_S // WINDOW_S
MOST_WINDOWS = 400 * WINDOWS_A_DAY
_MOST_REQUESTS = 5_000_000


@dataclass(frozen=True, slots=True)
class Demand:
    """Work a second in windows of ten minutes.

    Attributes:
        start_s: where the first window begins, on the trace's own clock; a whole day.
        work_per_s: one number a window, without gaps.
    """

    start_s: int
    work_per_s: Sequence[float]

    @property
    def end_s(self) -> int:
        """Where the last window ends."""
        return self.start_s + len(self.work_per_s) * WINDOW_S


def read_demands(history: Path | None, trace: Path, output_weight: float) -> tuple[Demand, Demand]:
    """Read an earlier trace and the one to judge by, on one scale; windows of the first are left out of the second.

    A trace whose clock starts again, so that it ends within the history, counts as what came after it.

    Raises:
        BadRequest: a trace that cannot be read, or nothing left to judge by.
    """
    paths = [trace] if history is None else [trace, history]
    lengths = read_lengths(*paths)
    later = _read(trace, lengths, output_weight)
    if history is None:
        return Demand(later.start_s, ()), later
    earlier = _read(history, lengths, output_weight)
    overlap = (earlier.end_s - later.start_s) // WINDOW_S
    if 0 < overlap < len(later.work_per_s) and later.start_s >= earlier.start_s:
        overlap = -(-overlap // WINDOWS_A_DAY) * WINDOWS_A_DAY
        later = Demand(later.start_s + overlap * WINDOW_S, later.work_per_s[overlap:])
        if not later.work_per_s:
            raise BadRequest(f"{trace.name} holds no whole day after {history.name}; give a later trace")
    return earlier, later


def _read(path: Path, lengths: LengthTable, output_weight: float) -> Demand:
    with open_table(path) as (header, _):
        windows = is_windows(header)
    work = _from_windows(read_windows(path), lengths, output_weight) if windows else _from_requests(path, output_weight)
    first = min(work) * WINDOW_S // DAY_S * DAY_S
    count = max(work) + 1 - first // WINDOW_S
    if count > MOST_WINDOWS:
        raise BadRequest(f"{path.name} spans {count // WINDOWS_A_DAY} days; at most {MOST_WINDOWS // WINDOWS_A_DAY}")
    return Demand(first, [work.get(first // WINDOW_S + n, 0.0) for n in range(count)])


def _from_windows(windows: Sequence[Window], lengths: LengthTable, output_weight: float) -> dict[int, float]:
    work: dict[int, float] = {}
    for window in windows:
        into, out = lengths.mean(window.client, window.start_s)
        at = window.start_s // WINDOW_S
        work[at] = work.get(at, 0.0) + window.rate_rps * (into + output_weight * out)
    return work


def _from_requests(path: Path, output_weight: float) -> dict[int, float]:
    trace = read_requests(path, most=_MOST_REQUESTS)
    work: dict[int, float] = {}
    for at_us, size in zip(trace.arrivals_us, trace.work(output_weight), strict=True):
        at = at_us // (WINDOW_S * MICROSECONDS)
        work[at] = work.get(at, 0.0) + size / WINDOW_S
    return work
