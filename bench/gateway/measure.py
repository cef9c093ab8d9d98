"""What a party costs: processor time and memory of its processes, from /proc."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """Give *pid* and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _stat(int(folder.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for one in found:
        found.extend(parents.get(one, []))
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """Processor seconds that *pids* have used so far, user and system."""
    # Fields 14 and 15 of /proc/PID/stat, counted after the name; threads that have ended are in them.
    stats = (_stat(pid) for pid in pids)
    return sum(int(fields[11]) + int(fields[12]) for fields in stats if fields) / _TICKS


def memory_mb(pids: Iterable[int]) -> float:
    """Resident memory in MB (1e6 bytes); pages that processes share are counted once for each."""
    pages = 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return pages * _PAGE / 1e6


def descriptors(pid: int) -> int:
    """Open files and sockets."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def machine() -> dict[str, str | int]:
    """What this is measured on."""
    cpu = Path("/proc/cpuinfo").read_text("utf-8")
    name = next((line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("model name")), "?")
    return {"cpu": name, "cores": os.cpu_count() or 0, "kernel": os.uname().release}


def load_average() -> float:
    """Processes that wanted to run during the last minute."""
    return os.getloadavg()[0]


def end(process: subprocess.Popen[bytes] | None) -> None:
    """End a process that we started, its children first asked through it."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Ask *condition* until it says yes.

    Raises:
        TimeoutError: it never did.
    """
    last = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > last:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.1)


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
