"""Real engine processes come and go with the load; nobody's request fails, and who sleeps is woken."""

import asyncio
import time
from collections import Counter

import httpx2
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("scaling")]

SCALING = {
    "min": 0,
    "max": 2,
    "target": 2,
    "over_s": 1,
    "up_cooldown_s": 0,
    "down_cooldown_s": 2,
    "idle_after_s": 3,
    "queue_most": 4,
    "queue_wait_s": 30,
}


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_replicas_follow_the_load_sleep_and_wake(make_service, workers):
    """1 to 2 to 1 under load and to none after it, then a request wakes it; every answer is whole."""
    house = make_service("--workers", workers)
    await asyncio.to_thread(house.start)
    await asyncio.to_thread(house.deploy, "echo", engine="echo", settings={"delay_ms": 300}, scaling=SCALING)
    statuses: Counter[int] = Counter()
    headers = {"authorization": f"Bearer {house.key}"}
    async with httpx2.AsyncClient(base_url=house.url, headers=headers, timeout=60) as client:

        async def ask() -> None:
            body = {"model": "echo", "stream": True, "messages": [{"role": "user", "content": "one two three"}]}
            answer = await client.post("/v1/chat/completions", json=body)
            statuses[answer.status_code if answer.text.endswith("data: [DONE]\n\n") else -answer.status_code] += 1

        async def load_until(clients: int, replicas: int) -> None:
            last = time.monotonic() + 60
            while (await replicas_of(client, house))["ready"] != replicas:
                assert time.monotonic() < last, await decisions(client, house)
                await asyncio.gather(*(ask() for _ in range(clients)))

        await load_until(6, 2)
        await load_until(1, 1)
        await asyncio.to_thread(house.wait_until, lambda: state_of(house) == "asleep", "falling asleep", seconds=60)
        await asyncio.gather(*(ask() for _ in range(2)))
        reasons = [(one["before"], one["replicas"], one["reason"]) for one in await decisions(client, house)]
    assert set(statuses) == {200}
    assert reasons[:4] == [(0, 1, "asked"), (1, 0, "idle"), (2, 1, "load"), (1, 2, "load")]


async def test_llamacpp_has_three_replicas_under_load_and_one_after_it(make_service):
    """Real weights, real processes: 1 to 3 to 1, every stream whole, and each replica has answered."""
    house = make_service()
    await asyncio.to_thread(house.start)
    scaling = {"max": 3, "target": 2, "over_s": 1, "up_cooldown_s": 0, "down_cooldown_s": 2}
    settings = {"context_tokens": 512, "slots": 2, "threads": 1}
    await asyncio.to_thread(house.deploy, "echo", model="starter", settings=settings, scaling=scaling)
    fates: Counter[str] = Counter()
    headers = {"authorization": f"Bearer {house.key}"}
    async with httpx2.AsyncClient(base_url=house.url, headers=headers, timeout=60) as client:

        async def ask() -> None:
            body = {"model": "echo", "stream": True, "max_tokens": 60, "messages": [{"role": "user", "content": "Hi"}]}
            answer = await client.post("/v1/chat/completions", json=body)
            whole = answer.status_code == 200 and answer.text.endswith("data: [DONE]\n\n")
            fates["whole" if whole else f"{answer.status_code} {answer.text[-300:]}"] += 1

        async def load_until(clients: int, replicas: int) -> None:
            last = time.monotonic() + 120
            while (await replicas_of(client, house))["ready"] != replicas:
                assert time.monotonic() < last, await decisions(client, house)
                await asyncio.gather(*(ask() for _ in range(clients)))

        await load_until(1, 1)
        await load_until(9, 3)
        await asyncio.gather(*(ask() for _ in range(9)))
        logs = [path for path in (house.folder / "engines").glob("rev_*.log") if path.stem.count(".") == 1]
        await load_until(1, 1)
    assert set(fates) == {"whole"}, fates
    assert sorted(path.stem[-2:] for path in logs) == [".2", ".3"]


async def replicas_of(client, house):
    admin = {"authorization": f"Bearer {house.operator}"}
    found = (await client.get("/api/v1/deployments/echo", headers=admin)).json()
    return found["revisions"][0]["replicas"]


async def decisions(client, house):
    admin = {"authorization": f"Bearer {house.operator}"}
    return (await client.get("/api/v1/deployments/echo/scaling", headers=admin)).json()["data"]


def state_of(house):
    return house.manage("GET", "/deployments/echo")["state"]
