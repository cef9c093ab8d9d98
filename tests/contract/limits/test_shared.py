"""What only shared limits have: idle slices, processes that die, a keeper that is lost."""

import asyncio

import pytest

from primeur.core.caller import Budget, Gate, Limits
from primeur.core.errors import NotReady
from primeur.limits.slices import HOLDER_LIFE_MS

PATIENCE_S = 20


def gates(budgets=(), **limits):
    return (Gate("key:a", Limits(**limits), tuple(budgets)),)


async def test_an_idle_slice_is_not_lost_to_the_others(town, ask, books):
    """One process takes a large slice and falls silent; the other gets all the rest of the limit."""
    idle, busy = town.limiter(books()), town.limiter(books())
    lanes = idle.lane(gates(rpd=200), None), busy.lane(gates(rpd=200), None)
    taken = sum([await ask(idle, lanes[0]) is not None for _ in range(60)])
    rest = sum([await ask(busy, lanes[1]) is not None for _ in range(200)])
    assert taken + rest == 200


async def test_slices_are_asked_for_seldom_while_there_is_plenty(town, ask, books):
    """A thousand requests far from the limit take a few dozen rounds."""
    limiter = town.limiter(books())
    lane = limiter.lane(gates(rpm=1_000_000), None)
    rounds, exchange = 0, limiter._keeper.exchange

    async def counted(holder, claims):
        nonlocal rounds
        rounds += 1
        return await exchange(holder, claims)

    limiter._keeper.exchange = counted
    for _ in range(1000):
        assert await ask(limiter, lane) is not None
    assert rounds < 60


async def test_requests_in_flight_of_a_dead_process_end_with_it(town, ask, books):
    """The keeper forgets whoever has gone."""
    dead, alive = town.limiter(books()), town.limiter(books())
    lanes = dead.lane(gates(concurrency=1), None), alive.lane(gates(concurrency=1), None)
    assert await ask(dead, lanes[0]) is not None
    assert await ask(alive, lanes[1]) is None
    town.tasks[0].cancel()
    await dead._keeper.leave("p0")
    await asyncio.sleep(0.1)
    assert await ask(alive, lanes[1]) is not None


async def test_a_request_in_flight_counts_for_as_long_as_it_takes(town, ask, books):
    """Its process has nothing else to say meanwhile; what ends makes room although that process rests."""
    long, other = town.limiter(books()), town.limiter(books())
    lanes = long.lane(gates(concurrency=1), None), other.lane(gates(concurrency=1), None)
    hold = await ask(long, lanes[0])
    await asyncio.sleep(HOLDER_LIFE_MS / 1000 + 1)
    assert await ask(other, lanes[1]) is None
    lanes[0].settle(hold, 1, None, hold.at_ms)
    await asyncio.sleep(0.3)
    assert await ask(other, lanes[1]) is not None


class Lost:
    """A keeper that can be lost and found."""

    def __init__(self, keeper):
        self.keeper, self.away = keeper, False

    async def exchange(self, holder, claims):
        if self.away:
            raise ConnectionError("pulled the plug")
        return await self.keeper.exchange(holder, claims)

    async def leave(self, holder):
        await self.keeper.leave(holder)

    async def aclose(self):
        await self.keeper.aclose()


async def wait_until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.02)


async def test_without_a_keeper_nothing_is_let_in_when_the_settings_say_so(town, ask, books):
    """Fail closed: an error that says why; what is free of limits goes on."""
    limiter = town.limiter(books())
    limiter._keeper = keeper = Lost(limiter._keeper)
    lane = limiter.lane(gates(rpd=1000), None)
    keeper.away = True
    with pytest.raises(NotReady, match="pulled the plug"):
        await ask(limiter, lane)
    assert limiter.lost
    assert limiter.lost_count == 1
    assert await ask(limiter, limiter.lane((), None)) is not None
    keeper.away = False
    await wait_until(lambda: not limiter.lost)
    assert await ask(limiter, lane) is not None


async def test_without_a_keeper_each_gives_its_share_when_the_settings_say_so(town, ask, books):
    """Two processes: half of the minute's limit, half of what was left of the budget; told to the keeper afterwards."""
    money = Budget("bud_1", "EUR", 100, "month")
    pair = [town.limiter(books(money=20), shares_when_lost=True) for _ in range(2)]
    lanes = [one.lane(gates([money], rpm=10), "EUR") for one in pair]
    assert [await ask(*both, 1, 10) is not None for both in zip(pair, lanes, strict=True)] == [True, True]
    await asyncio.sleep(1)
    for one in pair:
        one._keeper = Lost(one._keeper)
        one._keeper.away = True
        one._wake.set()
    await wait_until(lambda: all(one.lost for one in pair))
    admitted = [await ask(pair[0], lanes[0], 1, 10) is not None for _ in range(5)]
    assert admitted == [True, True, True, False, False]
    for one in pair:
        one._keeper.away = False
    await wait_until(lambda: not any(one.lost for one in pair))
    await asyncio.sleep(0.2)
    assert await ask(pair[1], lanes[1], 1, 31) is None
    assert await ask(pair[1], lanes[1], 1, 30) is not None
