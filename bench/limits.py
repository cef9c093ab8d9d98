"""Measure limits: what a key check and an admission cost, and whether many processes together let through the limit.

Run: PYTHONPATH=src python bench/limits.py [--valkey redis://127.0.0.1:6379/9] [--json FILE]

Each cost is the median of rounds of many calls in one process. The exactness of limits is tried with real processes
that share a Valkey server; without `--valkey` that part is left out.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import random
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from primeur.core.caller import Budget, Caller, Gate, Limits
from primeur.core.chat import OPENAI_PATHS, Ask, Deployment, Dialect, Endpoint, Route, Target
from primeur.core.errors import OverLimit, SliceSpent
from primeur.core.price import Price
from primeur.core.usage import Usage
from primeur.core.wire import ChatRequest
from primeur.governance.rules import digest_key, permissions_of, spell
from primeur.limits.memory import MemoryLimiter
from primeur.limits.shared import SharedLimiter
from primeur.limits.valkey import ValkeyKeeper
from primeur.relay.pool import Pool
from primeur.walks.admit import admit, settle
from primeur.walks.house import Board, House, Place, Snapshot

PROCESSES, REQUESTS, LIMIT = 8, 10_000, 1_000
KEYS, CALLS, ROUNDS = 10_000, 20_000, 7
BUDGET_NANOS = 10 * 10**9
PEPPER = b"p" * 32
PLENTY = 1 << 40


class MachineClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic_us(self) -> int:
        """Microseconds that never go back."""
        return time.monotonic_ns() // 1000


CLOCK = MachineClock()


def cost_us(work: Callable[[], object], calls: int = CALLS) -> float:
    """Microseconds of one call: the median round."""
    rounds = []
    for _ in range(ROUNDS):
        # Time of the processor, not of the clock: others may be at work on this machine.
        began = time.thread_time_ns()
        for _ in range(calls):
            work()
        rounds.append((time.thread_time_ns() - began) / calls / 1000)
    return statistics.median(rounds)


def gates() -> tuple[Gate, ...]:
    """Five limits over key and project, and a budget."""
    key = Gate("key:k", Limits(rpm=PLENTY, tpm=PLENTY, concurrency=PLENTY), (Budget("b", "EUR", 1 << 60, "month"),))
    return key, Gate("project:p", Limits(rpm=PLENTY, tpm=PLENTY))


def make_house(keys: int = KEYS) -> tuple[House, list[str]]:
    """A house of many keys, with one deployment of three targets."""
    texts = [spell("pk_", os.urandom) for _ in range(keys)]
    role = permissions_of("member")
    callers = {
        digest_key(text, PEPPER): Caller(f"key_{number}", "prj_1", "org_1", text[:8], role, gates())
        for number, text in enumerate(texts)
    }
    endpoint, dialect = Endpoint("http", "127.0.0.1", 1), Dialect("plain", OPENAI_PATHS)
    targets = tuple(
        Target(f"rev_{number}", "echo", endpoint, dialect, "m", frozenset({Route.CHAT}), context_tokens=8192)
        for number in range(3)
    )
    board, price = Board(), Price("price_1", "EUR", 2500, 250, 10_000)
    board.now = Snapshot(callers=callers, deployments={"gpt": Deployment("gpt", "m", 0, targets, price)})
    nothing: Any = None
    house = House(
        CLOCK, os.urandom, nothing, nothing, Pool(), MemoryLimiter(CLOCK), nothing, {}, {},
        Place(Path(), PEPPER, 1, 1 << 30), board,
    )  # fmt: skip
    return house, texts


def measure_costs(keys: int = KEYS, calls: int = CALLS) -> dict[str, float]:
    """What each step costs in one process, microseconds."""
    house, texts = make_house(keys)
    callers, key = house.board.now.callers, texts[keys // 2]
    caller = callers[digest_key(key, PEPPER)]
    body = msgspec.json.encode(
        {"model": "gpt", "max_tokens": 64, "messages": [{"role": "user", "content": "hi " * 60}]}
    )
    fields = msgspec.json.decode(body, type=ChatRequest)

    def ask() -> Ask:
        return Ask("req_1", Route.CHAT, body, fields, CLOCK.now_ms(), CLOCK.monotonic_us())

    def whole() -> None:
        found = callers[digest_key(key, PEPPER)]
        one = ask()
        settle(house, one, admit(house, found, one), Usage(60, 0, 30), 450_000)

    lane = house.limiter.lane(
        tuple(Gate(f"g{n}", Limits(PLENTY, PLENTY, PLENTY, PLENTY, PLENTY)) for n in range(5)), "EUR"
    )
    now_ms = CLOCK.now_ms()
    one = ask()
    return {
        "key check": cost_us(lambda: callers.get(digest_key(key, PEPPER)), calls),
        "admission: key, five limits, budget hold": cost_us(
            lambda: admit(house, callers[digest_key(key, PEPPER)], one), calls // 4
        ),
        "the same, and settled": cost_us(whole, calls // 4),
        "five gates of five limits each, reserved": cost_us(lambda: lane.reserve(100, None, now_ms), calls),
        "x-ratelimit figures": cost_us(lambda: caller.lanes["gpt"].standing(now_ms), calls),
    }


async def nothing_used(asked: Sequence[object]) -> list[int]:
    """Books in which nothing is written."""
    return [0] * len(asked)


async def reserve(limiter: SharedLimiter, lane: Any, cost: int | None) -> Any:
    """As the gateway does; None when refused."""
    for _ in range(50):
        try:
            return lane.reserve(1, cost, CLOCK.now_ms())
        except SliceSpent as spent:
            await limiter.fill(spent)
        except OverLimit:
            return None
    return None


async def one_process(number: int, url: str, prefix: str, kind: str) -> tuple[int, int, float]:
    """Ask as one gateway process would; gives what was let in, nanos spent, and CPU seconds."""
    limiter = SharedLimiter(CLOCK, ValkeyKeeper(url, prefix=prefix), f"p{number}", nothing_used)
    rounds = asyncio.create_task(limiter.run())
    dice, admitted, spent = random.Random(number), 0, 0  # noqa: S311 (a benchmark's dice need a seed)
    money = (Budget("b", "EUR", BUDGET_NANOS, "month"),)
    lane = limiter.lane(
        (Gate("key:k", Limits(rpd=LIMIT) if kind == "requests" else Limits(), money if kind == "money" else ()),), "EUR"
    )
    began = time.process_time()

    async def caller() -> None:
        nonlocal admitted, spent
        for _ in range(REQUESTS // PROCESSES // 10):
            worst = dice.randint(1, 20_000_000)
            hold = await reserve(limiter, lane, worst)
            if hold is not None:
                admitted += 1
                await asyncio.sleep(0)
                cost = dice.randint(0, worst)
                lane.settle(hold, 1, cost, CLOCK.now_ms())
                spent += cost

    await asyncio.gather(*(caller() for _ in range(10)))
    took = time.process_time() - began
    await asyncio.to_thread(_together.wait)
    rounds.cancel()
    with suppress(asyncio.CancelledError):
        await rounds
    await limiter.aclose()
    return admitted, spent, took


def meet(together: Any) -> None:
    """Have something to wait for each other with."""
    global _together  # noqa: PLW0603 (a process of a pool has no other way)
    _together = together


_together: Any = None


def run_process(order: tuple[int, str, str, str]) -> tuple[int, int, float]:
    """Run one process of several."""
    return asyncio.run(one_process(*order))


def try_exactness(url: str, kind: str) -> dict[str, float]:
    """Let many processes ask for more than there is."""
    prefix = f"{{bench-{uuid.uuid4().hex}}}"
    began, context = time.perf_counter(), multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES, meet, (context.Barrier(PROCESSES),)) as pool:
        found = pool.map(run_process, [(number, url, prefix, kind) for number in range(PROCESSES)], chunksize=1)
    return {
        "processes": PROCESSES,
        "asked": REQUESTS,
        "let in": sum(one[0] for one in found),
        "spent EUR": sum(one[1] for one in found) / 1e9,
        "CPU us a request": sum(one[2] for one in found) / REQUESTS * 1e6,
        "seconds": time.perf_counter() - began,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--valkey", help="redis://HOST:PORT/N of a server that may be written to")
    parser.add_argument("--json", type=Path, help="file for the figures")
    asked = parser.parse_args()
    out = Console()
    figures: dict[str, Any] = {"machine": f"{os.cpu_count()} x {platform.processor() or platform.machine()}"}
    figures["costs_us"] = measure_costs()
    table = Table("step", "us", title="one process")
    for name, value in figures["costs_us"].items():
        table.add_row(name, f"{value:.2f}")
    out.print(table)
    if asked.valkey:
        for kind, title in (("requests", f"a limit of {LIMIT} requests"), ("money", "a budget of 10.00 EUR")):
            figures[kind] = try_exactness(asked.valkey, kind)
            out.print(title, {name: round(value, 3) for name, value in figures[kind].items()})
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
