"""Wrong attempts to sign in, as every process of the house sees them."""

from primeur.governance import try_rows

NAME, ADDRESS = b"n" * 32, b"a" * 32
HOUR_MS = 3_600_000


async def wrong(store, times, now_ms=1000, whose=((NAME, "name:ada"), (ADDRESS, "address:192.0.2.7")), most=100):
    def work(tx):
        for _ in range(times):
            for digest, one in whose:
                try_rows.count_wrong(tx, digest, one, now_ms, most=most)

    await store.transact(work)


async def waits(store, digest, now_ms=1000):
    return await store.read(lambda tx: try_rows.wait_ms(tx, [digest], now_ms))


async def test_attempts_are_counted_and_forgotten_after_an_hour(store):
    """By name and by address."""
    await wrong(store, 4)
    assert await waits(store, NAME) == 0
    await wrong(store, 2)
    assert (await waits(store, NAME), await waits(store, ADDRESS)) == (2000, 0)
    await wrong(store, 1, 1000 + 2 * HOUR_MS)
    assert await waits(store, NAME, 1000 + 2 * HOUR_MS) == 0


async def test_being_let_in_forgets_the_name_but_not_the_address(store):
    """Who owns one account cannot free their address for guessing others."""
    await wrong(store, 21)
    await store.transact(lambda tx: try_rows.forget_tries(tx, NAME))
    assert await waits(store, NAME) == 0
    assert await waits(store, ADDRESS) > 0


async def test_what_is_known_of_attempts_is_bounded(store):
    """However many names are tried; the oldest make room."""
    for number in range(15):
        await wrong(store, 5, 1000 + number, ((number.to_bytes(32, "big"), f"name:{number}"),), most=10)
    assert await waits(store, (0).to_bytes(32, "big")) == 0
    assert await waits(store, (14).to_bytes(32, "big"), 1014) > 0
