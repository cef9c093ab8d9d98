"""Tokens a second through Primeur beside those of the bare engine's own server: the same process, asked in turns.

    python bench/engine_overhead.py [--weights FILE.gguf] [--engine llamacpp] [--rounds 5]

Starts a service in a temporary folder, deploys the weights (the starter model by default), and asks the engine's own
port and the gateway's in turns (A B A B) with the same streams. Prints medians and their ratio as a table.
"""

import argparse
import asyncio
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import httpx2
from rich.console import Console
from rich.table import Table

from primeur.cli.bench_load import Load, calibrate, endpoint_of, run_level
from primeur.cli.reach import Reach
from primeur.engines.papers import find_papers
from primeur.governance.rules import operator_key
from primeur.metering.benchmarks import summarise
from primeur.relay.pool import Pool

STREAMS = (1, 4, 16)
PATIENCE_S = 120.0


Found = dict[int, dict[str, list[float]]]


async def measure(direct: Reach, through: Reach, name: str, tokens: int, rounds: int) -> Found:
    """Give tokens a second by number of streams and by way."""
    found: Found = {count: {"engine": [], "primeur": []} for count in STREAMS}
    pool = Pool()
    ways = {"engine": endpoint_of(direct, max(STREAMS)), "primeur": endpoint_of(through, max(STREAMS))}
    loads = {way: Load(name, 16, tokens) for way in ways}
    try:
        for way, endpoint in ways.items():
            await calibrate(pool, endpoint, loads[way])
        for count in STREAMS:
            for turn in range(rounds):
                for way in sorted(ways, reverse=bool(turn % 2)):
                    samples = await run_level(pool, ways[way], loads[way], count, 3 * count, lambda: None)
                    level = summarise(count, samples)
                    if level.failed:
                        sys.exit(f"{way} failed: {level.faults}")
                    found[count][way].append(level.tokens_per_s)
    finally:
        await pool.aclose()
    return found


def deploy(folder: Path, weights: Path | None, engine: str) -> tuple[Reach, Reach, str]:
    """Deploy and wait; gives the ways to the engine and to the gateway, and the name to ask for."""
    url = json.loads((folder / "service.json").read_bytes())["url"]
    key = operator_key((folder / "secret").read_bytes())
    with httpx2.Client(base_url=f"{url}/api/v1", headers={"authorization": f"Bearer {key}"}, timeout=60) as api:
        model = "starter"
        if weights is not None:
            model = "bench"
            api.put(f"/models/{model}/file", content=weights.read_bytes()).raise_for_status()
        settings = {"context_tokens": 512} | ({"slots": max(STREAMS)} if engine in {"llamacpp", "openvino"} else {})
        ask = {"model": model, "engine": engine, "settings": settings}
        revision = api.put("/deployments/measured", json=ask).raise_for_status().json()["revisions"][0]["id"]
        last = time.monotonic() + PATIENCE_S
        while (seen := api.get("/deployments/measured").json())["state"] != "ready":
            if time.monotonic() > last:
                sys.exit(f"the engine did not get ready: {seen['pending']}")
            time.sleep(0.2)
    papers = find_papers(folder / "engines" / f"{revision}.json")
    if papers is None:
        sys.exit("the engine has left no papers")
    return Reach(f"http://127.0.0.1:{papers.port}", papers.secret), Reach(url, key), "measured"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--engine", default="llamacpp")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "data"
        command = [sys.executable, "-m", "primeur", "up", "--data-dir", str(folder), "--port", "0"]
        service = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait(folder, service)
            direct, through, name = deploy(folder, given.weights, given.engine)
            found = asyncio.run(measure(direct, through, name, given.tokens, given.rounds))
        finally:
            service.send_signal(signal.SIGINT)
            service.wait(60)
    table = Table(
        "streams",
        "engine, tokens/s",
        "through Primeur",
        "ratio of medians",
        title=f"{given.engine}, {given.rounds} rounds",
    )
    for count, ways in found.items():
        bare, ours = (statistics.median(ways[way]) for way in ("engine", "primeur"))
        table.add_row(str(count), f"{bare:.0f}", f"{ours:.0f}", f"{ours / bare:.3f}")
    Console(width=100).print(table)


def _wait(folder: Path, service: "subprocess.Popen[bytes]") -> None:
    last = time.monotonic() + PATIENCE_S
    while time.monotonic() < last and service.poll() is None:
        with suppress(OSError, ValueError, KeyError, httpx2.TransportError):
            url = json.loads((folder / "service.json").read_bytes())["url"]
            if httpx2.get(f"{url}/readyz").status_code == 200:
                return
        time.sleep(0.2)
    sys.exit("the service did not get ready")


if __name__ == "__main__":
    main()
