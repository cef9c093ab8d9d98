"""What one request costs, thread by thread: processor time from the kernel's accounts, and instructions by perf.

Run: PYTHONPATH=. python -m bench.gateway.cost --seconds 5 [--streams]
(Instructions are told where `perf stat` may look at other processes; they hardly change with what else runs.)
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import uvloop
from bench.gateway.house import Primeur
from bench.gateway.load import streams, wrk
from bench.gateway.measure import memory_mb, wait_until
from bench.gateway.parties import Mock, Party, free_port, start_nginx

_LEVEL = 64
_TICKS = os.sysconf("SC_CLK_TCK")


def threads(pid: int) -> dict[int, tuple[str, int, int]]:
    """Give name, and user and kernel time in ticks, of each thread."""
    found = {}
    for folder in Path(f"/proc/{pid}/task").iterdir():
        name, _, rest = (folder / "stat").read_text("utf-8").partition("(")[2].rpartition(") ")
        fields = rest.split()
        found[int(folder.name)] = (name, int(fields[11]), int(fields[12]))
    return found


class Counted:
    """Instructions of one process while a load runs."""

    def __init__(self, pid: int, seconds: float) -> None:
        """Begin to count."""
        self._process: subprocess.Popen[str] | None = None
        if shutil.which("perf"):
            command = ["perf", "stat", "--per-thread", "-x", ";", "-e", "instructions:u,instructions:k"]
            command += ["-p", str(pid), "--", "sleep", str(seconds)]
            self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def told(self) -> dict[str, list[int]]:
        """Give user and kernel instructions by the thread's name and id."""
        found: dict[str, list[int]] = {}
        if self._process is None:
            return found
        _, told = self._process.communicate(timeout=60)
        for line in told.splitlines():
            fields = line.split(";")
            if len(fields) > 3 and fields[1].isdigit():
                counts = found.setdefault(fields[0], [0, 0])
                counts[fields[3].endswith("k")] += int(fields[1])
        return found


def measure(party: Party, seconds: int, folder: Path, *, of_streams: bool, house: Primeur | None = None) -> None:
    """Load *party* and print what each of its threads did for a request (or an event)."""
    wrk(party, _LEVEL, 2, folder)
    if house is not None:
        settle(house)
    assert party.process is not None
    pid = party.pids[-1]
    before, counted = threads(pid), Counted(pid, seconds + (3 if house else 0))
    began_s = time.monotonic()
    if of_streams:
        count = uvloop.run(streams(party, 32, seconds)).events
    else:
        count = wrk(party, _LEVEL, seconds, folder).requests
    lasted_s = time.monotonic() - began_s
    after_load = threads(pid)
    if house is not None:
        settle(house)
    after = threads(pid)
    total_us = 0.0
    print(
        f"{party.name}: {count} in {lasted_s:.1f} s, {count / lasted_s:,.0f}/s; memory {memory_mb(party.pids):.0f} MB"
    )
    for number, (name, user, kernel) in sorted(after.items()):
        _, user_before, kernel_before = before.get(number, ("", 0, 0))
        _, user_then, kernel_then = after_load.get(number, ("", 0, 0))
        each = [ticks / _TICKS * 1e6 / count for ticks in (user - user_before, kernel - kernel_before)]
        late = (user + kernel - user_then - kernel_then) / _TICKS * 1e6 / count
        total_us += sum(each)
        if sum(each) > 0.05:
            print(f"  {name:16} {number:8} {each[0]:7.1f} us user {each[1]:7.1f} us kernel ({late:.1f} after the load)")
    print(f"  together {total_us:.1f} us, {1e6 / total_us:,.0f} per CPU-second")
    for name, counts in counted.told().items():
        if sum(counts) / count > 100:
            print(f"  {name:24} {counts[0] / count:10,.0f} instructions user {counts[1] / count:10,.0f} kernel")


def settle(house: Primeur) -> None:
    """Wait until every request is a row."""
    last = [-1]

    def still() -> bool:
        ((rows,),) = house.rows("select count(*) from requests")
        same, last[0] = bool(rows == last[0]), rows
        time.sleep(0.4)
        return same

    wait_until(still, "the books hold every request", 120)


def main() -> None:
    """Start everything, load, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--streams", action="store_true", help="events of 32 streams instead of whole answers")
    parser.add_argument("--nginx", action="store_true", help="nginx beside it")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="primeur-cost-"))
    ports = [free_port() for _ in range(4)]
    mock = Mock(ports)
    house = Primeur(folder / "data", tuple(ports[1:]))
    try:
        measure(house.party(), options.seconds, folder, of_streams=options.streams, house=house)
        if options.nginx:
            nginx = start_nginx(folder / "nginx", ports[0])
            measure(nginx, options.seconds, folder, of_streams=options.streams)
            nginx.stop()
    finally:
        house.stop()
        mock.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
