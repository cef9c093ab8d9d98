"""A real `primeur up` in a process of its own, and what a test does to it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from primeur import weights
from primeur.governance.rules import operator_key

_START_S = 90.0
_STOP_S = 60.0
_STEP_S = 0.05
_KEY = re.compile(r"^Key\s+(pk_[A-Za-z0-9_-]{43})", re.MULTILINE)


class Service:
    """One house: its data folder, its port, and the process that serves it.

    Attributes:
        folder: the data folder; it outlives the process.
        url: without a slash at the end; the same after every restart.
        key: the one that the first start printed, of the role ``member``.
    """

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.printed = folder.parent / f"{folder.name}.out"
        self.url = ""
        self._port = 0
        self._flags = flags
        self.environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until ``/readyz`` says yes."""
        command = [sys.executable, "-m", "primeur", "up", "--data-dir", str(self.folder), "--port", str(self._port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PRIMEUR_")}
        with self.printed.open("ab") as out:
            self._process = subprocess.Popen(
                [*command, *self._flags], stdout=out, stderr=out, env=environment | self.environment
            )
        self.wait_until(self._is_ready, "ready")

    def stop(self) -> int:
        """End it as Ctrl-C does; gives its exit status."""
        return self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it, and start it on the same port and folder."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_S)
            pytest.fail(f"the service did not end within {_STOP_S:g} s of {how.name}:\n{self.words}")

    def _is_ready(self) -> bool:
        process = self._process
        if process is None or process.poll() is not None:
            pytest.fail(f"the service ended by itself:\n{self.words}")
        try:
            note = json.loads((self.folder / "service.json").read_bytes())
            if note["pid"] != process.pid:
                return False
            self.url, self._port = note["url"], int(note["url"].rpartition(":")[2])
            return httpx2.get(f"{self.url}/readyz").status_code == 200
        except (FileNotFoundError, ValueError, httpx2.TransportError):
            return False

    def wait_until(self, condition: Any, what: str, *, seconds: float = _START_S) -> None:
        """Ask *condition* again and again; the test fails when it is not so after *seconds*."""
        last = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > last:
                pytest.fail(f"not {what} after {seconds:g} s:\n{self.words}")
            time.sleep(_STEP_S)

    @property
    def words(self) -> str:
        """What it printed so far, over all its starts."""
        return self.printed.read_text("utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def key(self) -> str:
        # It is printed after the doors have opened.
        self.wait_until(lambda: _KEY.search(self.words) is not None, "printing a key", seconds=20)
        return str(_KEY.findall(self.words)[0])

    @property
    def operator(self) -> str:
        """The key of whoever can read the data folder; it may do everything."""
        return operator_key((self.folder / "secret").read_bytes())

    def manage(self, method: str, path: str, body: Any = None) -> Any:
        """Call the management API as the operator; gives the decoded answer."""
        headers = {"authorization": f"Bearer {self.operator}"}
        answer = httpx2.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=60)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def make_key(self, name: str, **limits: Any) -> str:
        """Make a key (``rpm``, ``tpm``, ``concurrency``, ``role``, ``deployments``...); gives its text."""
        return self.manage("POST", "/keys", {"name": name, **limits})["key"]

    def deploy(self, name: str, **revision: Any) -> None:
        """Deploy, for example ``engine="echo"``, and wait until it serves."""
        self.manage("PUT", f"/deployments/{name}", revision)
        self.wait_until(lambda: self.manage("GET", f"/deployments/{name}")["state"] == "ready", f"serving {name}")

    def logged(self, request_id: str) -> dict[str, Any]:
        """Give one request as the log has it, once it has it."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            headers = {"authorization": f"Bearer {self.operator}"}
            answer = httpx2.get(f"{self.url}/api/v1/requests/{request_id}", headers=headers)
            found.extend([answer.json()] if answer.is_success else [])
            return bool(found)

        self.wait_until(is_there, f"logging {request_id}", seconds=20)
        return found[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the one service runs in one worker of pytest-xdist, so that there is one service."""
    for item in items:
        if "service" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("service"))
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The house of all tests here, with the deployment ``echo`` and, if its weights are there, ``starter``."""
    made = Service(tmp_path_factory.mktemp("service") / "data")
    try:
        made.start()
        made.deploy("echo", engine="echo")
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def starter(service: Service) -> str:
    """The name of the starter deployment."""
    if not (Path(weights.__file__).parent / "manifest.toml").is_file():
        pytest.skip("the starter weights are not in this checkout; `primeur train pretrain` makes them")
    service.wait_until(lambda: service.manage("GET", "/deployments/starter")["state"] == "ready", "serving starter")
    return "starter"


@pytest.fixture
def house_of_its_own(tmp_path: Path) -> Iterator[Service]:
    """A service for one test to restart and kill; not started yet."""
    made = Service(tmp_path / "data")
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Makes services with these flags, in folders of their own; they are ended with the test."""
    made: list[Service] = []

    def make(*flags: str) -> Service:
        made.append(Service(tmp_path / f"data{len(made)}", *flags))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            one.kill()
