"""A reserved throughput: one leaky bucket, in one process or in many; what is reserved, no more and no less."""

import asyncio

from tests.contract.limits.conftest import WallClock
from tests.contract.limits.test_shared import Lost, wait_until

from primeur.core.errors import SliceSpent

CLOCK = WallClock()


async def enter(limiter, bucket, tokens):
    """Ask as `walks.admit.admit_in_turn` does; gives the milliseconds to wait, 0 when let in."""
    for _ in range(50):
        try:
            wait_ms = bucket.wait_ms(tokens, CLOCK.now_ms())
        except SliceSpent as spent:
            await limiter.fill(spent)
            continue
        if not wait_ms:
            bucket.take(tokens, CLOCK.now_ms())
        return wait_ms
    return 1


def shared_by(town, count, per_minute):
    limiters = [town.limiter() for _ in range(1 if town.kind == "alone" else count)]
    return [(limiter, limiter.reservation("reserved:dep_1", per_minute)) for limiter in limiters]


async def test_all_together_get_what_is_reserved(any_town):
    """A flood over four processes: the bucket, what drained meanwhile, and one request that went over its edge."""
    pairs, began_ms, let_in = shared_by(any_town, 4, 6000), CLOCK.now_ms(), 0

    async def flood(limiter, bucket):
        nonlocal let_in
        refused = 0
        while refused < 5:
            if await enter(limiter, bucket, 70):
                refused += 1
            else:
                let_in += 70

    await asyncio.gather(*(flood(*pair) for pair in pairs))
    drained = 6000 * (CLOCK.now_ms() - began_ms) / 60_000
    assert 6000 <= let_in <= 6000 + drained + 70


async def test_one_request_may_go_over_the_edge_and_nobody_else_with_it(any_town):
    """Whatever its size; those who come after it are told when to come back, and are let in then, wherever."""
    pairs = shared_by(any_town, 3, 600_000)
    first, last = pairs[0], pairs[-1]
    assert await enter(*first, 605_000) == 0
    waits = [await enter(*pair, 1) for pair in pairs]
    assert all(0 < wait_ms <= 501 for wait_ms in waits)
    await asyncio.sleep(max(waits) / 1000 + 0.1)
    assert await enter(*last, 1) == 0


async def test_what_was_not_used_is_given_back_to_all(any_town):
    """And what was used beyond what was thought counts for all; everybody is told how full it is."""
    (limiter, bucket), (other, same) = (shared_by(any_town, 2, 6000) * 2)[:2]
    assert await enter(limiter, bucket, 9000) == 0
    assert await enter(other, same, 1) > 0
    bucket.correct(3000 - 9000, CLOCK.now_ms())
    await asyncio.sleep(0.2)
    await other.refresh([same])
    assert 0.4 < same.utilisation(CLOCK.now_ms()) < 0.51
    assert await enter(other, same, 1) == 0
    bucket.correct(4000, CLOCK.now_ms())
    await asyncio.sleep(0.2)
    assert await enter(other, same, 1) > 0


async def test_a_reserve_that_grew_lets_in_at_once(any_town):
    """In the process that knows of it, and then in the others."""
    pairs = shared_by(any_town, 2, 600)
    assert await enter(*pairs[0], 650) == 0
    assert await enter(*pairs[-1], 1) > 0
    for _, bucket in pairs:
        bucket.resize(6000)
    assert await enter(*pairs[-1], 1) == 0


async def test_a_slice_that_lies_unused_is_not_lost_to_the_others(town):
    """One process takes a slice and falls silent; the other gets all the rest."""
    (idle, one), (busy, other) = shared_by(town, 2, 6000)
    began_ms = CLOCK.now_ms()
    assert await enter(idle, one, 10) == 0
    let_in = 10
    while not await enter(busy, other, 10):
        let_in += 10
    assert 6000 <= let_in <= 6000 + 6000 * (CLOCK.now_ms() - began_ms) / 60_000 + 10


async def test_without_a_keeper_each_has_its_part_and_tells_of_it_afterwards(town):
    """Half of the bucket each, where the settings say so; what was let in counts for all when the keeper is back."""
    pair = [town.limiter(shares_when_lost=True) for _ in range(2)]
    buckets = [limiter.reservation("reserved:dep_1", 6000) for limiter in pair]
    # Whoever was never heard of has no part.
    for limiter, bucket in zip(pair * 2, buckets * 2, strict=True):
        assert await enter(limiter, bucket, 1) == 0
    for limiter in pair:
        limiter._keeper = Lost(limiter._keeper)
        limiter._keeper.away = True
        limiter._wake.set()
    await wait_until(lambda: all(limiter.lost for limiter in pair))
    assert await enter(pair[0], buckets[0], 3001) == 0
    assert await enter(pair[0], buckets[0], 1) > 0
    assert await enter(pair[1], buckets[1], 5500) == 0
    for limiter in pair:
        limiter._keeper.away = False
    await wait_until(lambda: not any(limiter.lost for limiter in pair))
    await enter(pair[0], buckets[0], 1)
    await enter(pair[1], buckets[1], 1)
    await asyncio.sleep(0.2)
    assert await enter(pair[0], buckets[0], 1) > 0
