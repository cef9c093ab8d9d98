"""A Ray cluster of two nodes on this machine, of which one can be lost and come again."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from primeur.engines.spawn import free_port

_SECONDS = 90.0
# A node gives up when its agent is not there after 15 s, which a busy machine may need.
_STARTS = 3


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again, a minute and a half at most."""
    last = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > last:
            pytest.fail(f"no {what} after {_SECONDS:g} s")
        time.sleep(0.2)


class Cluster:
    """Two nodes: the head, and a worker that can be lost.

    Args:
        python: of the environment that both run in.
    """

    def __init__(self, folder: Path, python: str) -> None:
        ray = str(Path(python).with_name("ray"))
        self.port, self.proxy_port = free_port(), free_port()
        head = ["--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={folder}"]
        self._head = _start_node(ray, folder / "head.log", 20_000, *head)
        self._worker = _start_node(ray, folder / "worker.log", 21_000, f"--address=127.0.0.1:{self.port}")

    @property
    def settings(self) -> dict[str, object]:
        """What a revision of the engine ray must say to run here."""
        return {"address": f"127.0.0.1:{self.port}", "proxy": f"http://127.0.0.1:{self.proxy_port}"}

    def replicas(self) -> int:
        """Engines that run in the cluster: Ray's workers hand their environment down."""
        return sum(b"RAY_RAYLET_PID=" in _read(process / "environ") for process in _running("engines.echo_server"))

    def lose_worker(self) -> int:
        """As a power cut would: daemons, replicas and their engines at once; gives how many engines it had."""
        there = _family(self._worker.pid)
        lost = sum(int(process.name) in there for process in _running("engines.echo_server"))
        _kill_all(self._worker)
        return lost

    def stop(self) -> None:
        """End both nodes."""
        _kill_all(self._worker)
        _kill_all(self._head)


@contextmanager
def running_cluster(python: str = sys.executable) -> Iterator[Cluster]:
    """Start a cluster, and end it."""
    # Its sockets lie in the folder, and their paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    made = Cluster(folder, python)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start_node(ray: str, log: Path, first_port: int, *flags: str) -> "subprocess.Popen[bytes]":
    # Two agents cannot have one machine's port, and a node waits for its agent.
    ports = {"min-worker-port": first_port, "max-worker-port": first_port + 999}
    ports["dashboard-agent-listen-port"] = free_port()
    command = [ray, "start", *flags, "--num-cpus=2", "--block"]
    command += ["--disable-usage-stats", *(f"--{name}={port}" for name, port in ports.items())]
    for _ in range(_STARTS):
        with log.open("wb") as out:
            node = subprocess.Popen(command, start_new_session=True, stdout=out, stderr=out)
        wait_until(lambda node=node: node.poll() is not None or b"runtime started" in log.read_bytes(), "node of Ray")
        if node.poll() is None:
            return node
    pytest.fail(log.read_text())


def _kill_all(node: "subprocess.Popen[bytes]") -> None:
    """Hold everything still first, so that nothing is started meanwhile and left over."""
    held: set[int] = set()
    while found := _family(node.pid) - held:
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
        held |= found
    for process in held:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    node.wait(30)


def _family(ancestor: int) -> set[int]:
    """A process, everything that it has started, and what that has started."""
    lines = [(int(process.name), _read(process / "stat")) for process in Path("/proc").glob("[0-9]*")]
    parents = [(process, int(line.rpartition(b")")[2].split()[1])) for process, line in lines if line]
    found = [ancestor]
    for one in found:
        found += [process for process, parent in parents if parent == one]
    return set(found)


def _running(word: str) -> list[Path]:
    return [process for process in Path("/proc").glob("[0-9]*") if word.encode() in _read(process / "cmdline")]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
