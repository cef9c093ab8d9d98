"""The machine underneath: its clock, its dice, and what kind it is."""

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path

_MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """See the port."""
        return time.time_ns() // 1_000_000

    def monotonic_us(self) -> int:
        """See the port."""
        return time.monotonic_ns() // 1000


class SystemDice:
    """The machine's randomness; what ids need is drawn a block at a time, secrets are drawn by themselves."""

    _SMALL, _BLOCK = 16, 4096

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._drawn: list[bytes] = []

    def __call__(self, n: int, /) -> bytes:
        """See `primeur.core.ports.Entropy`."""
        if n != self._SMALL:
            return os.urandom(n)
        try:
            # Taking one from a list is one step: threads that make ids at once never get the same bytes.
            return self._drawn.pop()
        except IndexError:
            block = os.urandom(self._BLOCK)
            self._drawn.extend(block[at : at + n] for at in range(n, self._BLOCK, n))
            return block[:n]


def memory_here(limits: Iterable[Path] = _MEMORY_LIMITS) -> int:
    """Give the bytes of memory of this machine, or of the container that this process is in where that has less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in limits:
        try:
            said = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        # Version 2 writes "max" where there is no limit, version 1 a number above any memory.
        found += [int(said)] if said.isdigit() and int(said) else []
    return min(found)


def name_machine() -> str:
    """Say what kind of machine this is, such as ``2 x AMD EPYC 9R14``."""
    cores = len(os.sched_getaffinity(0))
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{cores} x {names[0] if names else platform.machine()}"
