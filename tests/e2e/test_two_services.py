"""Two services on one PostgreSQL and one Valkey are one house: keys, changes, limits and books are the same in both."""

import asyncio
import os
import shutil
import time
from collections import Counter

import httpx2
import pytest
from tests.e2e.conftest import Service

pytestmark = [pytest.mark.e2e, pytest.mark.postgres, pytest.mark.xdist_group("two_services")]


@pytest.fixture
def valkey_url():
    """An empty database of a Valkey server."""
    server = os.environ.get("PRIMEUR_TEST_VALKEY")
    if not server:
        pytest.skip("set PRIMEUR_TEST_VALKEY=redis://... to a server of which everything may be removed")
    redis = pytest.importorskip("redis")
    url = server.rpartition("/")[0] + "/7"
    with redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def pair(postgres_url, valkey_url, tmp_path):
    """Two services that run, each in a folder of its own, as on two machines; they share a secret."""
    flags = ("--database", postgres_url, "--valkey", valkey_url)
    first, second = Service(tmp_path / "one", *flags), Service(tmp_path / "two", *flags, "--workers", "2")
    try:
        first.start()
        second.folder.mkdir(mode=0o700)
        shutil.copy(first.folder / "secret", second.folder / "secret")
        second.start()
        first.deploy("echo", engine="echo")
        second.wait_until(lambda: second.manage("GET", "/deployments/echo")["state"] == "ready", "serving echo")
        time.sleep(1)
        yield first, second
    finally:
        first.kill()
        second.kill()


def ask(house, key):
    body = {"model": "echo", "messages": [{"role": "user", "content": "one two three"}]}
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(f"{house.url}/v1/chat/completions", json=body, headers=headers, timeout=30)


async def flood(pair, key, count):
    """Ask many at once, half here and half there."""
    asked = [asyncio.to_thread(ask, pair[number % 2], key) for number in range(count)]
    return Counter(answer.status_code for answer in await asyncio.gather(*asked))


async def test_what_is_done_in_one_holds_in_both(pair):
    """A key works in the other at once, its end within a second; limits and budgets are exact over both; one ledger."""
    first, second = pair
    key = first.make_key("shared", rpd=20)
    assert ask(second, key).status_code == 200
    assert await flood(pair, key, 60) == {200: 19, 429: 41}
    first.manage("PUT", "/prices/echo", {"currency": "EUR", "input": "0", "output": "1000"})
    poor = second.make_key("poor")
    second.manage("PUT", "/budgets/key/poor/total", {"limit": "0.030"})
    await asyncio.sleep(1)
    admitted = (await flood(pair, poor, 40))[200]
    pair[0].wait_until(
        lambda: all(len(one.manage("GET", "/requests?outcome=completed")["data"]) >= 20 + admitted for one in pair),
        "writing rows",
        seconds=20,
    )
    assert float(first.manage("GET", "/budgets/key/poor/total")["spent"]) <= 0.030
    first.manage("DELETE", "/keys/shared")
    await asyncio.sleep(1)
    assert ask(second, key).status_code == 401
    assert first.stop() == 0
    assert second.stop() == 0


async def test_a_service_that_dies_leaves_the_limits_to_the_other(pair):
    """The other goes on; what the dead one held and had not used counts as used: never more than the limit."""
    first, second = pair
    key = first.make_key("shared", rpd=30)
    statuses = Counter([(await asyncio.to_thread(ask, first, key)).status_code for _ in range(5)])
    first.kill()
    statuses.update([(await asyncio.to_thread(ask, second, key)).status_code for _ in range(40)])
    first.start()
    statuses.update((await flood(pair, key, 20)).elements())
    assert 20 <= statuses[200] <= 30
    assert statuses[429] == 65 - statuses[200]
