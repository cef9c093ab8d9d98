"""Where each microsecond of a request goes: Primeur under load, sampled by py-spy.

Run: PYTHONPATH=src python -m bench.gateway.profile --seconds 10
(py-spy comes with `pip install py-spy`; on most systems it needs the right to trace processes.)
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.gateway.house import Primeur
from bench.gateway.load import wrk
from bench.gateway.measure import cpu_s
from bench.gateway.parties import Mock, free_port
from rich.console import Console
from rich.table import Table

_LEVEL, _RATE, _SHOWN = 64, 400, 45


def sample(house: Primeur, seconds: int, folder: Path) -> tuple[Counter[str], int, float]:
    """Load the house and sample it.

    Returns:
        Samples by stack (`thread;outer;...;inner`), requests answered, processor seconds used.
    """
    party = house.party()
    wrk(party, _LEVEL, 3, folder)
    assert party.process is not None
    stacks = folder / "stacks.txt"
    command = ["py-spy", "record", "--pid", str(party.process.pid), "--duration", str(seconds), "--rate", str(_RATE)]
    before_s = cpu_s(party.pids)
    spy = subprocess.Popen([*command, "--threads", "--format", "raw", "--output", str(stacks)], stderr=subprocess.PIPE)
    seen = wrk(party, _LEVEL, seconds, folder)
    used_s = cpu_s(party.pids) - before_s
    _, told = spy.communicate(timeout=60)
    if not stacks.exists():
        sys.exit(f"py-spy gave nothing: {told.decode(errors='replace')}")
    counts: Counter[str] = Counter()
    for line in stacks.read_text("utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        counts[stack] += int(count)
    return counts, seen.requests, used_s


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
    table = Table(title=f"{requests} requests, {used_s * 1e6 / requests:.1f} us of processor time each")
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
