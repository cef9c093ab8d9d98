"""Several gateway processes on one port: exact limits, one truth, and nothing lost when one of them is killed."""

import asyncio
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import httpx2
import pytest
from tests.e2e.conftest import Service

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("workers")]

KILLS = 10
CLIENTS = 8


@pytest.fixture
def many(tmp_path):
    """A service of three gateway processes; not started yet."""
    made = Service(tmp_path / "data", "--workers", "3")
    try:
        yield made
    finally:
        made.kill()


def windows_of(house) -> list[int]:
    """The gateway processes, by pid: children of the service that know their orders."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == house.pid and b"PRIMEUR_WINDOW=" in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def body_of(number: int = 0) -> dict:
    return {"model": "echo", "stream": number % 2 == 1, "messages": [{"role": "user", "content": "one two three"}]}


async def ask(house, key, number=0) -> int:
    """Ask once, over a connection of its own, so that any of the processes may get it."""
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=120) as client:
        return (await client.post(f"{house.url}/v1/chat/completions", json=body_of(number))).status_code


async def test_limits_keys_and_metrics_are_those_of_one_service(many):
    """Exactly the limit, whoever answers; a key and its end reach all; metrics are added up; the end is clean."""
    await asyncio.to_thread(many.start)
    await asyncio.to_thread(many.deploy, "echo", engine="echo")
    # What one process says is so in the others in less than a second.
    await asyncio.sleep(1)
    assert len(windows_of(many)) == 3
    key = await asyncio.to_thread(many.make_key, "limited", rpd=25)
    statuses = Counter(await asyncio.gather(*(ask(many, key, number) for number in range(60))))
    assert statuses == {200: 25, 429: 35}
    await asyncio.to_thread(many.manage, "DELETE", "/keys/limited")
    await asyncio.sleep(1)
    assert {await ask(many, key) for _ in range(6)} == {401}
    headers = {"authorization": f"Bearer {many.operator}"}
    text = (await asyncio.to_thread(httpx2.get, f"{many.url}/metrics", headers=headers)).text
    assert 'primeur_requests_total{route="/v1/chat/completions",status="200"} 25.0' in text
    assert await asyncio.to_thread(many.stop) == 0
    with closing(sqlite3.connect(many.folder / "primeur.db")) as database:
        counted = database.execute("select outcome, count(*) from requests group by outcome").fetchall()
    assert dict(counted)["completed"] == 25


async def test_requests_in_flight_are_counted_over_all_processes(many):
    """Three at once and not one more, whoever has them; those of a process that is killed make room."""
    await asyncio.to_thread(many.start)
    await asyncio.to_thread(many.deploy, "echo", engine="echo", settings={"delay_ms": 600_000})
    await asyncio.sleep(1)
    key = await asyncio.to_thread(many.make_key, "limited", concurrency=3)
    first = [asyncio.create_task(ask(many, key)) for _ in range(20)]
    done, held = await until_refused(first, 17)
    assert Counter(task.result() for task in done) == {429: 17}
    assert Counter(await asyncio.gather(*(ask(many, key) for _ in range(10)))) == {429: 10}
    for pid in windows_of(many):
        os.kill(pid, signal.SIGKILL)
    for task in held:
        with pytest.raises(httpx2.HTTPError):
            await task
    await asyncio.to_thread(many.wait_until, lambda: is_open(many), "answering again")
    again = [asyncio.create_task(ask(many, key)) for _ in range(20)]
    done, held = await until_refused(again, 17)
    assert Counter(task.result() for task in done) == {429: 17}
    for task in held:
        task.cancel()


async def test_the_queue_of_a_sleeping_deployment_is_that_of_all_processes(many):
    """Four may wait and not one more, whoever has them; metrics and the deployment say so; the dead wait no more."""
    scaling = {"min": 0, "max": 1, "idle_after_s": 1, "queue_most": 4, "queue_wait_s": 300}
    await asyncio.to_thread(many.start)
    revision = {"engine": "echo", "settings": {"load_ms": 25_000}, "scaling": scaling}
    await asyncio.to_thread(many.manage, "PUT", "/deployments/echo", revision)
    key = await asyncio.to_thread(many.make_key, "callers")
    await asyncio.to_thread(many.wait_until, lambda: queue_of(many)[0] == "asleep", "asleep", seconds=60)
    # What one process says is so in the others in less than a second.
    await asyncio.sleep(1)
    first = [asyncio.create_task(ask(many, key)) for _ in range(16)]
    done, waiting = await until_refused(first, 12)
    assert Counter(task.result() for task in done) == {429: 12}
    await asyncio.to_thread(many.wait_until, lambda: queue_of(many) == ("waking", 4, 4), "telling a queue of four")
    os.kill(gone := windows_of(many)[0], signal.SIGKILL)
    await asyncio.to_thread(many.wait_until, lambda: gone not in windows_of(many), "ending it")
    # Whoever waited there hears of it.
    await asyncio.sleep(0.5)
    alive = [task for task in waiting if not task.done()]
    await asyncio.to_thread(many.wait_until, lambda: queue_of(many)[1:] == (len(alive),) * 2, "forgetting the dead")
    again = [asyncio.create_task(ask(many, key)) for _ in range(8)]
    done, more = await until_refused(again, 4 + len(alive))
    assert Counter(task.result() for task in done) == {429: 4 + len(alive)}
    assert Counter(await asyncio.gather(*alive, *more)) == {200: 4}
    await asyncio.to_thread(many.wait_until, lambda: queue_of(many)[1:] == (0, 0), "telling that nobody waits")


async def test_a_reserved_throughput_is_that_of_all_processes(many):
    """A flood gets the bucket and what drained meanwhile, whoever answers; each process tells how full it is."""
    await asyncio.to_thread(many.start)
    terms = {"engine": "echo", "type": "provisioned", "reserved_tokens_per_minute": 6000}
    await asyncio.to_thread(many.deploy, "echo", **terms)
    # What one process says is so in the others in less than a second.
    await asyncio.sleep(1)
    key = await asyncio.to_thread(many.make_key, "flood")
    headers, body, used = {"authorization": f"Bearer {key}"}, body_of() | {"max_tokens": 100}, 0
    body["messages"] = [{"role": "user", "content": "one two three " * 20}]
    began_s, waits = time.monotonic(), []

    async def flood(refusals):
        nonlocal used
        while refusals:
            # A connection of its own, so that any of the processes may get it.
            async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
                answer = await client.post(f"{many.url}/v1/chat/completions", json=body)
            if answer.status_code == 200:
                used += answer.json()["usage"]["total_tokens"]
                continue
            assert answer.status_code == 429, answer.text
            waits.append(int(answer.headers["retry-after-ms"]))
            refusals -= 1

    await asyncio.gather(*(flood(3) for _ in range(8)))
    # With nobody else under way, what was held and not used has come back.
    await flood(1)
    drained = 6000 * (time.monotonic() - began_s) / 60
    assert 6000 <= used <= 6000 + drained + 400
    assert all(0 < wait_ms < 10_000 for wait_ms in waits)
    for _ in range(6):
        told = (await asyncio.to_thread(many.manage, "GET", "/deployments/echo"))["utilization"]
        assert 0.5 < told <= 1.1


def queue_of(house) -> tuple[str, float, int]:
    """The deployment's state, and its queue as metrics and the deployment tell it."""
    headers = {"authorization": f"Bearer {house.operator}"}
    text = httpx2.get(f"{house.url}/metrics", headers=headers, timeout=30).text
    told = [line for line in text.splitlines() if line.startswith('primeur_deployment_queue{deployment="echo"')]
    assert len(told) == 1, told
    shown = house.manage("GET", "/deployments/echo")
    return shown["state"], float(told[0].rpartition(" ")[2]), shown["queue"]


def is_open(house) -> bool:
    """Whether some process listens."""
    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{house.url}/healthz").status_code == 200
    return False


async def until_refused(tasks, count):
    """Wait until so many have an answer; gives them and those that go on."""
    async with asyncio.timeout(30):
        while sum(task.done() for task in tasks) < count:
            await asyncio.sleep(0.05)
    return [task for task in tasks if task.done()], [task for task in tasks if not task.done()]


async def test_a_budget_is_everybodys_and_outlives_a_restart(many):
    """Ten requests' worth, asked for by thirty at once; after a restart it is still spent."""
    await asyncio.to_thread(many.start)
    await asyncio.to_thread(many.deploy, "echo", engine="echo")
    # What one process says is so in the others in less than a second.
    await asyncio.sleep(1)
    await asyncio.to_thread(many.manage, "PUT", "/prices/echo", {"currency": "EUR", "input": "0", "output": "1000"})
    key = await asyncio.to_thread(many.make_key, "poor")
    # Three words are echoed: three tokens, 0.003 EUR, and the longest answer asked for is held first.
    await asyncio.to_thread(many.manage, "PUT", "/budgets/key/poor/month", {"limit": "0.030"})
    body = body_of() | {"max_tokens": 3}

    async def spend():
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
            return (await client.post(f"{many.url}/v1/chat/completions", json=body)).status_code

    admitted = Counter(await asyncio.gather(*(spend() for _ in range(30))))
    spent = float((await asyncio.to_thread(budget_after, many, admitted[200]))["spent"])
    assert admitted[200] >= 9
    assert spent <= 0.030
    await asyncio.to_thread(many.restart)
    again = Counter(await asyncio.gather(*(spend() for _ in range(10))))
    assert again[200] == 10 - admitted[200]


def budget_after(house, answered: int):
    """The budget, once all that was answered is in the books."""
    house.wait_until(
        lambda: len(house.manage("GET", "/requests?outcome=completed")["data"]) >= answered, "writing rows", seconds=20
    )
    return house.manage("GET", "/budgets/key/poor/month")


@pytest.mark.crash
async def test_what_completed_is_counted_once_however_processes_are_killed(many, seed):
    """Gateway processes and the whole service are killed under load; the clients' own record is the judge."""
    dice, stop = random.Random(seed), asyncio.Event()
    completed: list[str] = []
    await asyncio.to_thread(many.start)
    await asyncio.to_thread(many.deploy, "echo", engine="echo")
    # What one process says is so in the others in less than a second.
    await asyncio.sleep(1)
    key = await asyncio.to_thread(many.make_key, "clients")

    async def load(number):
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
            while not stop.is_set():
                with suppress(httpx2.HTTPError):
                    answer = await client.post(f"{many.url}/v1/chat/completions", json=body_of(number))
                    whole = number % 2 == 0 or answer.text.endswith("data: [DONE]\n\n")
                    if answer.status_code == 200 and whole:
                        completed.append(answer.headers["x-request-id"])
                        continue
                await asyncio.sleep(0.05)

    clients = [asyncio.create_task(load(number)) for number in range(CLIENTS)]
    for number in range(KILLS):
        await asyncio.sleep(dice.uniform(0.2, 0.8))
        if number % 5 == 4:
            await asyncio.to_thread(many.kill)
            await asyncio.to_thread(many.start)
        else:
            for pid in dice.sample(found, 1) if (found := windows_of(many)) else []:
                os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(2)
    many.wait_until(lambda: len(windows_of(many)) == 3, "starting processes again")
    stop.set()
    await asyncio.gather(*clients)
    assert await asyncio.to_thread(many.stop) == 0
    with closing(sqlite3.connect(many.folder / "primeur.db")) as database:
        rows = database.execute("select id from requests where outcome = 'completed'").fetchall()
    counted = Counter(row[0] for row in rows)
    assert len(completed) > KILLS, seed
    assert not [one for one in completed if counted[one] != 1], f"seed {seed}"
