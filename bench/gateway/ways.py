"""What a request costs by its dialect and by what is on: processor time of Primeur, over the same mock upstream.

Run: PYTHONPATH=. python -m bench.gateway.ways --seconds 4
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.gateway.house import Primeur
from bench.gateway.load import body_for, wrk
from bench.gateway.measure import cpu_s
from bench.gateway.parties import MODEL, Mock, Party, free_port
from rich.console import Console
from rich.table import Table

_LEVEL = 64
_FINDS = ["secret", "email", "iban", "card", "phone"]
Change = Callable[[dict[str, Any]], None]


def as_message(body: dict[str, Any]) -> None:
    """Anthropic's wire: the system's words beside the turns."""
    body["system"] = body["messages"].pop(0)["content"]


def as_response(body: dict[str, Any]) -> None:
    """OpenAI's Responses, stored as they are by default."""
    body["input"], body["max_output_tokens"] = body.pop("messages"), body.pop("max_tokens")


def as_response_not_stored(body: dict[str, Any]) -> None:
    """As above, with nothing kept."""
    as_response(body)
    body["store"] = False


def long_prompt(body: dict[str, Any]) -> None:
    """A hundred thousand characters, with numbers among them."""
    body["messages"][1]["content"] = ("How far is it from the hills to the sea, on 12 May? " * 2000)[:100_000]


def guard(house: Primeur, *, on: str | None) -> None:
    """Let a guard mask five forms in prompts, in answers too, or take it away."""
    if on is None:
        house.manage("DELETE", f"/deployments/{MODEL}/guard")
    else:
        rules = [{"name": "forms", "action": "mask", "finds": _FINDS, "on": on}]
        house.manage("PUT", f"/deployments/{MODEL}/guard", {"rules": rules})


def keep_prompts(house: Primeur) -> None:
    """Keep prompts and answers of the project, masked; without a guard."""
    guard(house, on=None)
    project = house.manage("GET", "/projects")["data"][0]["name"]
    house.manage("PATCH", f"/projects/{project}", {"keeps_prompts": True})


def measure(house: Primeur, path: str, change: Change | None, seconds: int, folder: Path) -> tuple[int, float]:
    """Ask over 64 connections; gives requests a second and microseconds of processor time each."""
    party: Party = replace(house.party(), path=path)
    body = json.loads(body_for(party))
    if change is not None:
        change(body)
    sent = json.dumps(body, separators=(",", ":")).encode()
    wrk(party, _LEVEL, 1, folder, sent)
    before_s = cpu_s(party.pids)
    seen = wrk(party, _LEVEL, seconds, folder, sent)
    if seen.errors:
        raise RuntimeError(f"{path}: {seen.errors} of {seen.requests} requests failed")
    return seen.requests // seconds, (cpu_s(party.pids) - before_s) / seen.requests * 1e6


def main() -> None:
    """Measure one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="primeur-ways-"))
    ports = [free_port() for _ in range(3)]
    mock, house = Mock(ports), Primeur(folder / "data", tuple(ports))
    chat = "/v1/chat/completions"
    steps: list[tuple[str, str, Change | None, Callable[[], None] | None]] = [
        ("chat", chat, None, None),
        ("chat, Azure's path", f"/openai/deployments/{MODEL}/chat/completions?api-version=2024-10-21", None, None),
        ("chat, prompt of 100 kB", chat, long_prompt, None),
        ("Messages", "/v1/messages", as_message, None),
        ("Responses, not stored", "/v1/responses", as_response_not_stored, None),
        ("Responses, stored", "/v1/responses", as_response, None),
        ("a guard looks at prompts", chat, None, lambda: guard(house, on="prompt")),
        ("a guard, prompt of 100 kB", chat, long_prompt, None),
        ("a guard looks at both", chat, None, lambda: guard(house, on="both")),
        ("prompts are kept, masked", chat, None, lambda: keep_prompts(house)),
        ("kept, prompt of 100 kB", chat, long_prompt, None),
    ]
    table = Table("", "requests/s", "µs each", title="Processor time of one request")
    try:
        for name, path, change, prepare in steps:
            if prepare is not None:
                prepare()
                time.sleep(1)
            rate, each_us = measure(house, path, change, options.seconds, folder)
            table.add_row(name, f"{rate:,}", f"{each_us:,.0f}")
    finally:
        house.stop()
        mock.stop()
        shutil.rmtree(folder, ignore_errors=True)
    Console().print(table)


if __name__ == "__main__":
    main()
