"""Several limiters that share limits, over every kind of keeper."""

import asyncio
import os
import time
import uuid
from contextlib import asynccontextmanager, suppress

import pytest

from primeur.core.errors import OverLimit, SliceSpent
from primeur.limits.keeper import LocalKeeper, MemoryKeeper
from primeur.limits.memory import MemoryLimiter
from primeur.limits.shared import SharedLimiter
from primeur.limits.valkey import ValkeyKeeper


class WallClock:
    """The machine's clock."""

    def now_ms(self):
        return time.time_ns() // 1_000_000

    def monotonic_us(self):
        return time.monotonic_ns() // 1000


class Books:
    """What was used before, by kind; counts how often it was asked."""

    def __init__(self, **used):
        self.used, self.asked = used, 0

    async def __call__(self, asked):
        self.asked += 1
        return [self.used.get(one.kind, 0) for one in asked]


async def reserve(limiter, lane, tokens=1, cost=None):
    """Reserve as `walks.admit.admit_in_turn` does; None when refused."""
    for _ in range(50):
        try:
            return lane.reserve(tokens, cost, WallClock().now_ms())
        except SliceSpent as spent:
            await limiter.fill(spent)
        except OverLimit:
            return None
    return None


class Town:
    """Makes limiters of one house; every one runs its rounds until the end."""

    def __init__(self, kind):
        self.kind, self.counts = kind, MemoryKeeper()
        self.prefix = f"{{test-{uuid.uuid4().hex}}}"
        self.tasks, self.limiters = [], []

    def keeper(self):
        if self.kind == "valkey":
            return ValkeyKeeper(os.environ["PRIMEUR_TEST_VALKEY"], prefix=self.prefix)
        return LocalKeeper(self.counts, WallClock())

    def limiter(self, books=None, **settings):
        if self.kind == "alone":
            return MemoryLimiter(WallClock(), books)
        name = f"p{len(self.limiters)}"
        made = SharedLimiter(WallClock(), self.keeper(), name, books or Books(), **settings)
        self.limiters.append(made)
        self.tasks.append(asyncio.create_task(made.run()))
        return made

    async def aclose(self):
        for task in self.tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for one in self.limiters:
            await one.aclose()


@asynccontextmanager
async def open_town(kind):
    if kind == "valkey" and not os.environ.get("PRIMEUR_TEST_VALKEY"):
        pytest.skip("set PRIMEUR_TEST_VALKEY=redis://... to a server of which everything may be removed")
    made = Town(kind)
    try:
        yield made
    finally:
        await made.aclose()


@pytest.fixture(params=["local", "valkey"])
async def town(request):
    async with open_town(request.param) as made:
        yield made


@pytest.fixture(params=["alone", "local", "valkey"])
async def any_town(request):
    async with open_town(request.param) as made:
        yield made


@pytest.fixture
def ask():
    return reserve


@pytest.fixture
def books():
    return Books
