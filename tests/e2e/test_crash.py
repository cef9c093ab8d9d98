"""The journal's promise through ``kill -9``: an answer that completed is in the books, once."""

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.crash, pytest.mark.xdist_group("crash")]

KILLS = 40
CLIENTS = 8
DECLARED = '[deployments.echo]\nengine = "echo"\n'
NO_ENGINES_LEFT_S = 60.0


class Service:
    """A real ``primeur up`` that can be killed and started again on the same port and folder."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.declared = folder / "primeur.toml"
        self.declared.write_text(DECLARED)
        self.log = (folder / "up.log").open("ab")
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; `wait` waits until it is ready."""
        command = [sys.executable, "-m", "primeur", "up", "--data-dir", self.data_dir, "--port", str(self.port)]
        self.process = subprocess.Popen([*command, "--config", self.declared], stdout=self.log, stderr=self.log)

    def wait(self) -> None:
        """Wait until it is ready."""
        for _ in range(600):
            assert self.process is not None
            assert self.process.poll() is None, (self.data_dir.parent / "up.log").read_text()
            with suppress(httpx2.HTTPError):
                if httpx2.get(f"{self.url}/readyz").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(httpx2.get(f"{self.url}/readyz").text)

    def kill(self) -> None:
        """End it without a word."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_engine(self) -> None:
        """End the engine without a word."""
        for papers in (self.data_dir / "engines").glob("rev_*.json"):
            with suppress(ProcessLookupError, ValueError):
                os.kill(json.loads(papers.read_text())["pid"], signal.SIGKILL)

    def stop(self) -> None:
        """End it politely, engines included."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(NO_ENGINES_LEFT_S)
        self.log.close()

    @property
    def key(self) -> str:
        """The key that the first start printed."""
        lines = (self.data_dir.parent / "up.log").read_text().splitlines()
        return next(line.split()[1] for line in lines if line.startswith("Key "))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def one_request(client: httpx2.AsyncClient, url: str, *, streamed: bool) -> tuple[str | None, str]:
    """Ask once; gives the request's id when the answer was complete, and what became of it."""
    body = {"model": "echo", "stream": streamed, "messages": [{"role": "user", "content": "one two three " * 20}]}
    try:
        async with client.stream("POST", f"{url}/v1/chat/completions", json=body) as answer:
            text = (await answer.aread()).decode()
    except httpx2.HTTPError:
        return None, "lost"
    if answer.status_code != 200:
        assert "error" in json.loads(text), text
        return None, f"refused {answer.status_code}"
    if streamed and not text.endswith("data: [DONE]\n\n"):
        assert '"error"' in text, text
        return None, "broken off in words"
    return answer.headers["x-request-id"], "completed"


async def load(url: str, key: str, stop: asyncio.Event) -> tuple[list[str], Counter[str]]:
    """Ask without pause until *stop*; gives what completed, as clients saw it."""
    completed: list[str] = []
    fates: Counter[str] = Counter()

    async def ask(number: int) -> None:
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
            while not stop.is_set():
                request_id, fate = await one_request(client, url, streamed=number % 2 == 0)
                fates[fate] += 1
                if request_id is not None:
                    completed.append(request_id)
                else:
                    await asyncio.sleep(0.05)

    await asyncio.gather(*(ask(number) for number in range(CLIENTS)))
    return completed, fates


async def test_what_completed_is_counted_once_through_forty_kills(tmp_path):
    """Service and engine are killed in turn, at random moments, under load; the client's own record is the judge."""
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)
    service = Service(tmp_path)
    service.start()
    await asyncio.to_thread(service.wait)
    stop = asyncio.Event()
    clients = asyncio.create_task(load(service.url, service.key, stop))
    for number in range(KILLS):
        await asyncio.sleep(dice.uniform(0.1, 0.6))
        if number % 2:
            service.kill_engine()
        else:
            service.kill()
            service.start()
        await asyncio.to_thread(service.wait)
    await asyncio.sleep(0.5)
    stop.set()
    completed, fates = await clients
    service.stop()
    counted = _counted(service.data_dir)
    assert fates["completed"] > KILLS, (seed, fates)
    assert len(completed) == len(set(completed))
    missing = [request_id for request_id in completed if counted.get(request_id) != "completed"]
    assert not missing, f"seed {seed}: {len(missing)} of {len(completed)} answers are not in the books: {fates}"


def _counted(data_dir: Path) -> dict[str, str]:
    with sqlite3.connect(data_dir / "primeur.db") as database:
        rows = database.execute("select id, outcome from requests").fetchall()
    database.close()
    assert len(rows) == len({row[0] for row in rows})
    return dict(rows)
