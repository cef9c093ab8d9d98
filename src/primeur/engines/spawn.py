"""Processes as the host sees them: started by us, or found alive after a restart of ours."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.2
_STARTED_AT_FIELD = 19  # field 22 of stat, counted from the state, which follows the name in brackets
_RESIDENT_FIELD, _SHARED_FIELD = 1, 2
_FAMILY_MOST = 256
_OWN_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Child:
    """One engine process.

    Attributes:
        started_ticks: kernel ticks since boot, which tells a process from a later one with the same pid; 0 unknown.
        ours: it is our child in the kernel's sense, so that its exit status can be read.
    """

    pid: int
    started_ticks: int
    port: int
    secret: str
    ours: bool = True


def start(argv: tuple[str, ...], environment: Mapping[str, str], log_path: Path) -> int:
    """Start *argv* in a session of its own, writing into *log_path*; gives its pid.

    Raises:
        OSError: the program is missing or the log cannot be written.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log_path), append, _OWN_ONLY),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(argv[0], argv, {**environment}, file_actions=actions, setsid=True, setsigmask=())


def free_port() -> int:
    """A loopback port that nobody listens on now; should another take it first, the start fails and is repeated."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_secret() -> str:
    """A bearer key for one process: 256 random bits."""
    return secrets.token_urlsafe(32)


def started_ticks(pid: int) -> int:
    """When a live process was started, in kernel ticks; 0 when there is none, or the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in {"Z", "X"} else int(fields[_STARTED_AT_FIELD])


def is_alive(child: Child) -> bool:
    """Whether that very process still runs."""
    if Path("/proc/self/stat").exists():
        return started_ticks(child.pid) == child.started_ticks != 0
    with contextlib.suppress(PermissionError):
        try:
            os.kill(child.pid, 0)
        except ProcessLookupError:
            return False
    return True


def memory_of(pid: int) -> tuple[int, int]:
    """Memory that a process and those it started hold now: all of it, and of that, pages of files; bytes.

    Nothing when the system does not tell. A server behind a wrapper, and what it starts itself, count with it.
    """
    total = shared = 0
    waiting = [pid]
    for _ in range(_FAMILY_MOST):
        if not waiting:
            break
        one = waiting.pop()
        try:
            fields = Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()
        except OSError:
            continue
        total, shared = total + int(fields[_RESIDENT_FIELD]), shared + int(fields[_SHARED_FIELD])
        waiting += _children(one)
    page = os.sysconf("SC_PAGE_SIZE")
    return total * page, shared * page


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def send_signal(child: Child, which: signal.Signals) -> None:
    """Send a signal to that very process alone, if it still runs."""
    if is_alive(child):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, which)


def kill(child: Child) -> None:
    """End that very process at once, with everything that it started in its group."""
    if is_alive(child):
        _kill_group(child.pid)


async def ended(child: Child) -> str:
    """Wait until the process is gone; says how it ended, in words.

    What it started and left behind ends too: a server whose wrapper was killed would keep its memory.
    """
    await _gone(child)
    if not child.ours:
        return "its process ended"
    # Nobody else can have this number before its status is read.
    _kill_group(child.pid)
    return _exit_words(child)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _exit_words(child: Child) -> str:
    try:
        _, status = os.waitpid(child.pid, os.WNOHANG)
    except ChildProcessError:
        return "its process ended"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return f"ended by {name}"
    return f"exit status {os.waitstatus_to_exitcode(status)}"


async def _gone(child: Child) -> None:
    try:
        handle = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        while is_alive(child):  # noqa: ASYNC110 - a process without a handle can only be looked at
            await asyncio.sleep(POLL_S)
        return
    if not child.ours and not is_alive(child):
        os.close(handle)
        return
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
