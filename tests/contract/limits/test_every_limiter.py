"""What every limiter does, in one process or in many: exactly the limit, never more, and nothing is lost."""

import asyncio
import random

import pytest

from primeur.core.caller import Budget, Gate, Limits

EUR = 1_000_000_000


def gates(budgets=(), **limits):
    return (Gate("key:a", Limits(**limits), tuple(budgets)),)


def budget(nanos, **more):
    return Budget("bud_1", "EUR", nanos, "month", **more)


@pytest.mark.parametrize(("limits", "most"), [({"rpm": 100}, 100), ({"rpd": 30}, 30), ({"tpm": 70}, 70)])
async def test_a_flood_gets_exactly_the_limit(any_town, ask, books, limits, most):
    """Ten times as many as may, over four processes (or one)."""
    alone = any_town.kind == "alone"
    limiters = [any_town.limiter(books()) for _ in range(1 if alone else 4)]
    lanes = [limiter.lane(gates(**limits), None) for limiter in limiters]

    async def flood(limiter, lane):
        return sum([await ask(limiter, lane) is not None for _ in range(10 * most // len(lanes))])

    admitted = await asyncio.gather(*(flood(*pair) for pair in zip(limiters, lanes, strict=True)))
    assert sum(admitted) == most


async def test_a_budget_is_never_exceeded_and_used_to_the_end(any_town, ask, books):
    """Random worst cases and costs, many at a time; in the end every cent that can be spent is."""
    dice, spent, held, most = random.Random(7), 0, 0, 0
    limiters = [any_town.limiter(books()) for _ in range(1 if any_town.kind == "alone" else 4)]
    lanes = [limiter.lane(gates([budget(1000)]), "EUR") for limiter in limiters]

    async def caller(limiter, lane):
        nonlocal spent, held, most
        refused = 0
        while refused < 3:
            hold = await ask(limiter, lane, 1, worst := dice.randint(1, 60))
            if hold is None:
                refused += 1
                await asyncio.sleep(0.02)
                continue
            held += worst
            most = max(most, spent + held)
            await asyncio.sleep(dice.uniform(0, 0.01))
            cost = dice.randint(0, worst)
            lane.settle(hold, 1, cost, hold.at_ms)
            held, spent = held - worst, spent + cost

    pairs = list(zip(limiters, lanes, strict=True))
    await asyncio.gather(*(caller(*pairs[number % len(pairs)]) for number in range(16)))
    assert most <= 1000
    # What is left must be there for whoever asks for exactly that, once all have told what they gave back.
    await asyncio.sleep(0.3)
    left = 1000 - spent
    if left:
        assert await ask(*pairs[0], 1, left) is not None
    assert await ask(*pairs[-1], 1, 1) is None


async def test_concurrency_is_everybodys(any_town, ask, books):
    """Three at once over all; one that ends makes room for one elsewhere."""
    limiters = [any_town.limiter(books()) for _ in range(1 if any_town.kind == "alone" else 3)]
    pairs = [(limiter, limiter.lane(gates(concurrency=3), None)) for limiter in limiters]
    holds = [(pairs[number % len(pairs)], await ask(*pairs[number % len(pairs)])) for number in range(4)]
    assert [hold is not None for _, hold in holds] == [True, True, True, False]
    (_, lane), hold = holds[0]
    lane.settle(hold, 1, None, hold.at_ms)
    await asyncio.sleep(0.2)
    assert await ask(*pairs[-1]) is not None
    assert await ask(*pairs[0]) is None


async def test_what_the_books_have_counts(any_town, ask, books):
    """Of ten a day seven were used before; of a budget of 100, 60."""
    limiter = any_town.limiter(books(requests_day=7, money=60))
    lane = limiter.lane(gates([budget(100)], rpd=10), "EUR")
    assert await ask(limiter, lane, 1, 41) is None
    admitted = [await ask(limiter, lane, 1, 1) is not None for _ in range(5)]
    assert admitted == [True, True, True, False, False]


async def test_a_settled_hold_is_given_back_to_all(any_town, ask, books):
    """A hold of 90 of 100 tokens that used 10 leaves 90 for whoever comes."""
    limiters = [any_town.limiter(books()) for _ in range(1 if any_town.kind == "alone" else 2)]
    first, last = limiters[0], limiters[-1]
    lane, other = first.lane(gates(tpm=100), None), last.lane(gates(tpm=100), None)
    hold = await ask(first, lane, 90)
    assert await ask(last, other, 11) is None
    lane.settle(hold, 10, None, hold.at_ms)
    await asyncio.sleep(0.2)
    assert await ask(last, other, 91) is None
    await asyncio.sleep(0.1)
    assert await ask(last, other, 90) is not None


async def test_what_is_withdrawn_was_never_asked(any_town, ask, books):
    """Of requests and tokens, and as often as it happens."""
    limiter = any_town.limiter(books())
    lane = limiter.lane(gates(rpm=5, tpm=50), None)
    for _ in range(3):
        holds = [await ask(limiter, lane, 10) for _ in range(5)]
        assert None not in holds
        assert await ask(limiter, lane, 10) is None
        for hold in holds:
            lane.withdraw(hold, hold.at_ms)
        # Others are told at the next round.
        await asyncio.sleep(0.3)
