"""The journal's promise through ``kill -9``: an answer that completed is in the books, once."""

import asyncio
import json
import os
import random
import signal
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import httpx2
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.crash, pytest.mark.xdist_group("crash")]

KILLS = 50
CLIENTS = 8


def kill_engines(house) -> None:
    """End every engine without a word."""
    for papers in (house.folder / "engines").glob("rev_*.json"):
        with suppress(ProcessLookupError, ValueError):
            os.kill(json.loads(papers.read_text())["pid"], signal.SIGKILL)


def start_again(house) -> None:
    """End the service without a word, and start it on the same port and folder."""
    house.kill()
    house.start()


async def one_request(client: httpx2.AsyncClient, url: str, *, streamed: bool) -> tuple[str | None, str]:
    """Ask once; gives the request's id when the answer was complete, and what became of it."""
    body = {"model": "echo", "stream": streamed, "messages": [{"role": "user", "content": "one two three " * 20}]}
    try:
        async with client.stream("POST", f"{url}/v1/chat/completions", json=body) as answer:
            text = (await answer.aread()).decode()
    except httpx2.HTTPError:
        return None, "lost"
    if answer.status_code != 200:
        assert "error" in json.loads(text), text
        return None, f"refused {answer.status_code}"
    if streamed and not text.endswith("data: [DONE]\n\n"):
        assert '"error"' in text, text
        return None, "broken off in words"
    return answer.headers["x-request-id"], "completed"


async def load(url: str, key: str, stop: asyncio.Event) -> tuple[list[str], Counter[str]]:
    """Ask without pause until *stop*; gives what completed, as clients saw it."""
    completed: list[str] = []
    fates: Counter[str] = Counter()

    async def ask(number: int) -> None:
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
            while not stop.is_set():
                request_id, fate = await one_request(client, url, streamed=number % 2 == 0)
                fates[fate] += 1
                if request_id is not None:
                    completed.append(request_id)
                else:
                    await asyncio.sleep(0.05)

    await asyncio.gather(*(ask(number) for number in range(CLIENTS)))
    return completed, fates


async def test_what_completed_is_counted_once_through_fifty_kills(house_of_its_own, seed):
    """Service and engine are killed in turn, at random moments, under load; the client's own record is the judge."""
    dice, house, stop = random.Random(seed), house_of_its_own, asyncio.Event()
    await asyncio.to_thread(house.start)
    await asyncio.to_thread(house.deploy, "echo", engine="echo")
    price = {"currency": "EUR", "input": "2.50", "output": "10.00"}
    await asyncio.to_thread(house.manage, "PUT", "/prices/echo", price)
    clients = asyncio.create_task(load(house.url, house.make_key("clients"), stop))
    for number in range(KILLS):
        await asyncio.sleep(dice.uniform(0.1, 0.6))
        await asyncio.to_thread(kill_engines if number % 2 else start_again, house)
    await asyncio.sleep(2)
    stop.set()
    completed, fates = await clients
    assert await asyncio.to_thread(house.stop) == 0
    counted = booked(house.folder)
    assert fates["completed"] > KILLS, (seed, fates)
    assert len(completed) == len(set(completed))
    missing = [request_id for request_id in completed if counted.get(request_id) != "completed"]
    assert_ledger_is_the_clients_record(house.folder, completed, fates)
    assert not missing, f"seed {seed}: {len(missing)} of {len(completed)} answers are not in the books: {fates}"


def booked(folder: Path) -> dict[str, str]:
    """What became of each request, as the database has it; one row for each."""
    with closing(sqlite3.connect(folder / "primeur.db")) as database:
        rows = database.execute("select id, outcome from requests").fetchall()
    assert len(rows) == len({row[0] for row in rows})
    return dict(rows)


def assert_ledger_is_the_clients_record(folder: Path, completed: list[str], fates: Counter[str]) -> None:
    """Every answer that completed is booked once; beyond them only what was cut off while it was made."""
    with closing(sqlite3.connect(folder / "primeur.db")) as database:
        keys = [row[0] for row in database.execute("select key from transactions where kind = 'usage'")]
        uneven = database.execute("select number from legs group by number having sum(amount) <> 0").fetchall()
        owed = database.execute("select sum(cost_nanos) from requests").fetchone()[0]
        query = "select sum(amount) from balances join accounts on id = account_id where name like 'Income:%'"
        earned = database.execute(query).fetchone()[0]
    assert len(keys) == len(set(keys))
    assert set(completed) <= set(keys)
    assert len(keys) - len(completed) <= sum(fates.values()) - fates["completed"]
    assert not uneven
    assert -earned == owed
