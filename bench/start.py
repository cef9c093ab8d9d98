"""From a fresh clone to the first streamed token: time, disk and memory, printed as a table.

    python bench/start.py [CHECKOUT]

Clones CHECKOUT (this one by default) into a temporary folder, runs `make env` there with the package cache there is,
starts the service twice and asks the starter model for one token each time.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PORT = 18080
PATIENCE_S = 300.0


def main() -> None:
    """Measure and print."""
    checkout = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "primeur"
        began = time.monotonic()
        run("git", "clone", "--quiet", str(checkout), str(clone))
        run("make", "--silent", "env", cwd=clone)
        row("clone and `make env`", f"{time.monotonic() - began:.1f} s")
        row("environment and weights on disk", f"{disk_mb(clone / '.venv', clone / 'src/primeur/weights'):.0f} MB")
        for name in ("first", "second"):
            measure_start(clone, name)


def measure_start(clone: Path, name: str) -> None:
    """Start, wait for the first token, look at memory, stop."""
    began = time.monotonic()
    command = [clone / ".venv/bin/primeur", "up", "--port", str(PORT), "--data-dir", clone / "data"]
    out = (clone / "out.txt").open("a+")
    service = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        wait_ready()
        row(f"{name} start until ready", f"{time.monotonic() - began:.1f} s")
        first_token(read_key(clone / "out.txt"))
        row(f"{name} start until the first token", f"{time.monotonic() - began:.1f} s")
        row(f"{name} start, memory of all processes", f"{memory_mb(service.pid):.0f} MB")
    finally:
        service.send_signal(signal.SIGINT)
        service.wait(60)
        out.close()


def first_token(key: str) -> None:
    """Stream an answer until something of it has come."""
    body = {"model": "starter", "stream": True, "messages": [{"role": "user", "content": "Hello!"}]}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/v1/chat/completions", json.dumps(body).encode())
    request.add_header("authorization", f"Bearer {key}")
    with urllib.request.urlopen(request) as answer:  # noqa: S310 (our own address)
        for line in answer:
            if line.startswith(b"data: {") and (json.loads(line[6:])["choices"] or [{}])[0].get("delta", {}).get(
                "content"
            ):
                return


def wait_ready() -> None:
    """Ask ``/readyz`` until it says yes."""
    last = time.monotonic() + PATIENCE_S
    while time.monotonic() < last:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
    sys.exit("the service did not become ready")


def read_key(printed: Path) -> str:
    """The key that the first start printed."""
    last = time.monotonic() + PATIENCE_S
    while time.monotonic() < last:
        found = re.search(r"^Key\s+(pk_\S+)", printed.read_text(), re.MULTILINE)
        if found:
            return found.group(1)
        time.sleep(0.02)
    sys.exit("no key was printed")


def memory_mb(pid: int) -> float:
    """Proportional memory of a process and its descendants, so that shared pages count once."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        if pid in ancestry(int(status.parent.name)):
            rollup = (status.parent / "smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE).group(1))
    return total / 1024


def ancestry(pid: int) -> list[int]:
    """The process and its parents."""
    found = []
    while pid > 1:
        found.append(pid)
        try:
            pid = int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except FileNotFoundError:
            return found
    return found


def disk_mb(*folders: Path) -> float:
    """Size of folders on disk."""
    listed = subprocess.run(["du", "-sm", *map(str, folders)], capture_output=True, text=True, check=True)
    return float(sum(int(line.split()[0]) for line in listed.stdout.splitlines()))


def run(*command: str, cwd: Path | None = None) -> None:
    """Run quietly, and stop when it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, cwd=cwd, check=True, env=environment)


def row(what: str, figure: str) -> None:
    """Print one line of the table."""
    print(f"{what:<40} {figure:>10}", flush=True)


if __name__ == "__main__":
    main()
