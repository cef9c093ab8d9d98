"""A deployment on a Ray cluster of two nodes on this machine: it scales with the load and outlives a lost node."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from primeur.engines.spawn import free_port

pytest.importorskip("ray", reason="needs the extra 'ray'")

_CALLERS = 8
_SECONDS = 90.0
_BODY = {"model": "far", "messages": [{"role": "user", "content": "hello there [[delay_ms=200]]"}]}


class Cluster:
    """Two nodes: the head, and one that can be lost."""

    def __init__(self, folder: str) -> None:
        self.port, self.proxy_port = free_port(), free_port()
        head = ["--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={folder}"]
        self.nodes = [_start_node(*head, "--min-worker-port=20000", "--max-worker-port=20999")]
        wait_until(lambda: listens(self.port), "a head that listens")
        address = f"--address=127.0.0.1:{self.port}"
        self.nodes.append(_start_node(address, "--min-worker-port=21000", "--max-worker-port=21999"))
        wait_until(lambda: len(_children(self.nodes[1].pid)) > 0, "a second node")

    def replicas(self) -> int:
        """Engines that run in the cluster: Ray's workers hand their environment down."""
        return sum(b"RAY_RAYLET_PID=" in _read(process / "environ") for process in _running("engines.echo_server"))

    def lose_worker(self) -> None:
        """As a power cut would."""
        _kill_all(self.nodes[1])

    def stop(self) -> None:
        """End both nodes."""
        for node in reversed(self.nodes):
            _kill_all(node)


def _start_node(*flags: str) -> "subprocess.Popen[bytes]":
    command = [str(Path(sys.executable).with_name("ray")), "start", *flags, "--num-cpus=2", "--block"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([*command, "--disable-usage-stats"], start_new_session=True, **quiet)


def _kill_all(node: "subprocess.Popen[bytes]") -> None:
    """Kill a node with its daemons at once; Ray's workers and then our engines see that they are alone."""
    for process in [*_children(node.pid), node.pid]:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    node.wait(30)


def _children(parent: int) -> list[int]:
    lines = [(process, _read(process / "stat")) for process in Path("/proc").glob("[0-9]*")]
    return [int(process.name) for process, line in lines if line and int(line.rpartition(b")")[2].split()[1]) == parent]


def _running(word: str) -> list[Path]:
    return [process for process in Path("/proc").glob("[0-9]*") if word.encode() in _read(process / "cmdline")]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def listens(port: int) -> bool:
    """Whether anybody on this machine listens there."""
    rows = [
        line.split() for name in ("tcp", "tcp6") for line in _read(Path(f"/proc/net/{name}")).decode().splitlines()[1:]
    ]
    return any(row[3] == "0A" and row[1].endswith(f":{port:04X}") for row in rows)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again, a minute and a half at most."""
    last = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > last:
            pytest.fail(f"no {what} after {_SECONDS:g} s")
        time.sleep(0.2)


class Crowd:
    """People who ask all the time; remembers what they were told."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key
        self._over = threading.Event()
        self.statuses: list[int] = []
        self._people = [threading.Thread(target=self._ask, daemon=True) for _ in range(_CALLERS)]
        for person in self._people:
            person.start()

    def _ask(self) -> None:
        headers = {"authorization": f"Bearer {self._key}"}
        with httpx2.Client(timeout=60, headers=headers) as client:
            while not self._over.is_set():
                self.statuses.append(client.post(f"{self._url}/v1/chat/completions", json=_BODY).status_code)

    def go_home(self) -> None:
        """Stop asking."""
        self._over.set()
        for person in self._people:
            person.join(60)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    # Its sockets lie in the folder, and their paths must be short.
    folder = tempfile.mkdtemp(prefix="ray-")
    made = Cluster(folder)
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_deployment_scales_and_outlives_a_lost_node(cluster: Cluster, house_of_its_own) -> None:
    """One replica, three under load, still no failed request when a node is lost; one again when all is quiet."""
    house_of_its_own.start()
    settings = {
        "engine": "echo", "address": f"127.0.0.1:{cluster.port}", "proxy": f"http://127.0.0.1:{cluster.proxy_port}",
        "min_replicas": 1, "max_replicas": 3, "requests_per_replica": 1, "upscale_delay_s": 0.5,
        "downscale_delay_s": 2, "replica_cpus": 1,
    }  # fmt: skip
    house_of_its_own.manage("PUT", "/deployments/far", {"engine": "ray", "settings": settings})
    wait_until(lambda: house_of_its_own.manage("GET", "/deployments/far")["state"] == "ready", "deployment")
    assert cluster.replicas() == 1
    crowd = Crowd(house_of_its_own.url, house_of_its_own.key)
    wait_until(lambda: cluster.replicas() == 3, "third replica")
    cluster.lose_worker()
    before = len(crowd.statuses)
    wait_until(lambda: len(crowd.statuses) > before + 60, "answers after the loss")
    crowd.go_home()
    assert set(crowd.statuses) == {200}
    wait_until(lambda: cluster.replicas() == 1, "return to one replica")
    house_of_its_own.stop()
