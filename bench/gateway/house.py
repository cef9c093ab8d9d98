"""Primeur with everything on: keys, five limits, three targets, prices, journal, metrics, request log."""

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.gateway.measure import end, wait_until
from bench.gateway.parties import UPSTREAM_MODEL, Party, free_port, is_open

from primeur.governance.rules import operator_key

# High enough never to refuse; the check of limits uses keys of its own.
_PLENTY = {"rpm": 1 << 31, "tpm": 1 << 31, "concurrency": 100_000}
_PRICE = {"currency": "EUR", "input": "2.50", "cached": "0.25", "output": "10.00"}


class Primeur:
    """The service in a process of its own, founded in an empty folder."""

    def __init__(
        self, folder: Path, ports: tuple[int, ...], *, max_connections: int = 2048, workers: int | None = None
    ) -> None:
        """Found the house, declare it, and start it again so that it begins as a service does every day."""
        self.folder, self.ports, self.max_connections = folder, ports, max_connections
        self.workers = workers
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
            self._declare()
        finally:
            end(self.process)
        self._share_evenly()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        command = [sys.executable, "-m", "primeur", "up", "--data-dir", str(self.folder), "--port", str(self.port)]
        if self.workers is not None:
            command += ["--workers", str(self.workers)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PRIMEUR_")}
        with (self.folder.parent / "primeur.log").open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        process = self.process
        wait_until(lambda: process.poll() is not None or is_open(self.port), "Primeur starts")
        wait_until(lambda: self._answers("/readyz"), "Primeur is ready")

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        end(self.process)

    def party(self) -> Party:
        """How it is asked."""
        return Party(
            "Primeur",
            version("primeur"),
            "1 process; key, 5 limits on key and project, 3 targets, price, journal, request log, metrics",
            self.port,
            headers={"authorization": f"Bearer {self.key}"},
            process=self.process,
            upstream_ports=self.ports,
        )

    def manage(self, method: str, path: str, body: Any = None) -> Any:
        """Call the management API as the operator."""
        operator = operator_key((self.folder / "secret").read_bytes())
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {operator}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def make_key(self, name: str, **limits: Any) -> str:
        """Make a key; gives its text."""
        return str(self.manage("POST", "/keys", {"name": name, **limits})["key"])

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the database."""
        with sqlite3.connect(f"file:{self.folder / 'primeur.db'}?mode=ro", uri=True) as database:
            return database.execute(query, values).fetchall()

    def _declare(self) -> None:
        # The engines of a first start would idle beside the measurement.
        for one in sorted(self.manage("GET", "/deployments")["data"], key=lambda one: one["embeddings_by"] is None):
            self.manage("DELETE", f"/deployments/{one['name']}")
        for number, port in enumerate(self.ports):
            settings = {"base_url": f"http://127.0.0.1:{port}/v1", "max_connections": self.max_connections}
            self.manage("PUT", f"/providers/mock{number}", {"kind": "openai_compatible", "settings": settings})
            revision = {"provider": f"mock{number}", "upstream_model": UPSTREAM_MODEL}
            self.manage("PUT", "/deployments/bench", revision)
        self.manage("PUT", "/prices/bench", _PRICE)
        self.key = self.make_key("bench", **_PLENTY)
        project = self.manage("GET", "/projects")["data"][0]
        self.manage("PATCH", f"/projects/{project['name']}", {"rpm": _PLENTY["rpm"], "tpm": _PLENTY["tpm"]})

    def _share_evenly(self) -> None:
        """Let every revision serve; deploying leaves all traffic with the newest."""
        with sqlite3.connect(self.folder / "primeur.db") as database:
            database.execute("update revisions set share = 1")
        database.close()

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
