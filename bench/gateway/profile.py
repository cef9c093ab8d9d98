"""Where each microsecond of a request goes: Primeur's event loop under load, sampled by py-spy.

What py-spy sees are shares; the kernel's account of the loop's thread makes times of them.

Run: PYTHONPATH=src python -m bench.gateway.profile --seconds 10
(py-spy comes with `pip install py-spy`; on most systems it needs the right to trace processes.)
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.gateway.cost import threads
from bench.gateway.house import Primeur
from bench.gateway.load import wrk
from bench.gateway.parties import Mock, free_port
from rich.console import Console
from rich.table import Table

_LEVEL, _RATE, _SHOWN = 64, 400, 45
_TICKS = os.sysconf("SC_CLK_TCK")


def sample(house: Primeur, seconds: int, folder: Path) -> tuple[Counter[str], int, float]:
    """Load the house and sample it.

    Returns:
        Samples of the loop by stack (`outer;...;inner`), requests answered, processor seconds that the loop used.
    """
    party = house.party()
    wrk(party, _LEVEL, 3, folder)
    assert party.process is not None
    stacks = folder / "stacks.txt"
    pid = party.process.pid
    command = ["py-spy", "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(_RATE)]
    before_s = _loop_s(pid)
    spy = subprocess.Popen([*command, "--threads", "--format", "raw", "--output", str(stacks)], stderr=subprocess.PIPE)
    seen = wrk(party, _LEVEL, seconds, folder)
    used_s = _loop_s(pid) - before_s
    _, told = spy.communicate(timeout=60)
    if not stacks.exists():
        sys.exit(f"py-spy gave nothing: {told.decode(errors='replace')}")
    counts: Counter[str] = Counter()
    for line in stacks.read_text("utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        thread, _, frames = stack.partition(";")
        if f"({pid})" in thread or f"({pid:#x})" in thread.lower():
            counts[frames] += int(count)
    return counts, seen.requests, used_s


def _loop_s(pid: int) -> float:
    """Processor seconds of the thread that the event loop runs in, the first of its process."""
    _, user, kernel = threads(pid)[pid]
    return (user + kernel) / _TICKS


def show(counts: Counter[str], requests: int, used_s: float) -> None:
    """Print each function's own and whole share, in microseconds a request."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for stack, count in counts.items():
        frames = [frame.rpartition(":")[0] + ")" if ":" in frame else frame for frame in stack.split(";")]
        own[frames[-1]] += count
        for frame in set(frames):
            whole[frame] += count
    each_us = used_s * 1e6 / requests / sum(counts.values())
    table = Table(title=f"{requests} requests, {used_s * 1e6 / requests:.1f} us of the event loop each")
    for column in ("own us", "with what it calls us", "function"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for frame, count in whole.most_common(4 * _SHOWN):
        if own[frame] * each_us >= 0.3 or count * each_us >= 2:
            table.add_row(f"{own[frame] * each_us:.1f}", f"{count * each_us:.1f}", frame)
    Console(width=150).print(table)


def main() -> None:
    """Start everything, sample, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="primeur-profile-"))
    ports = [free_port() for _ in range(3)]
    mock = Mock(ports)
    house = Primeur(folder / "data", tuple(ports))
    try:
        show(*sample(house, options.seconds, folder))
    finally:
        house.stop()
        mock.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
