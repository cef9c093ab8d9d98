"""How soon every gateway process answers with a deployment's new revision: twenty changes, median and worst.

    python bench/pointer.py [--changes 20] [--workers 2] [--database URL --valkey URL]

Starts one service of several gateway processes; with a database two services on it, each with one process. Moves all of
the traffic from one revision of the engine echo to the other and back by `PUT /traffic`, and asks over many connections
at once which revision answers, until all of them have said the new one four times in a row. The time runs from the
request for the change.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx2
from tests.e2e.conftest import Service

CONNECTIONS = 16
_SETTLED = 4
_LONGEST_S = 20.0


class Watcher:
    """One connection to one gateway process, asked again and again."""

    def __init__(self, house: Service, key: str) -> None:
        """Connect when first asked."""
        self.client = httpx2.AsyncClient(base_url=house.url, headers={"authorization": f"Bearer {key}"}, timeout=30)

    async def until(self, revision_id: str, began_s: float) -> float:
        """Give the seconds from *began_s* until this connection's answers come from the revision for good."""
        body = {"model": "pointed", "messages": [{"role": "user", "content": "hi"}]}
        first, streak = 0.0, 0
        while streak < _SETTLED:
            asked_s = time.monotonic() - began_s
            if asked_s > _LONGEST_S:
                raise SystemExit(f"after {_LONGEST_S:g} s a process still answers with the revision before")
            answer = await self.client.post("/v1/chat/completions", json=body)
            answer.raise_for_status()
            same = answer.headers["x-primeur-revision"] == revision_id
            first, streak = (asked_s if streak == 0 else first, streak + 1) if same else (0.0, 0)
            await asyncio.sleep(0.02)
        return first


async def measure(houses: list[Service], changes: int) -> list[float]:
    """Give the seconds until every connection saw each change."""
    key = await asyncio.to_thread(houses[0].make_key, "pointer")
    for number in range(2):
        await asyncio.to_thread(houses[0].deploy, "pointed", engine="echo", settings={"vector_size": 8 + number})
    revisions = {one["number"]: one["id"] for one in houses[0].manage("GET", "/deployments/pointed")["revisions"]}
    # Both revisions run while both have a share.
    houses[0].manage("PUT", "/deployments/pointed/traffic", {"shares": {"1": 50, "2": 50}})
    await asyncio.sleep(3)
    watchers = [Watcher(houses[number % len(houses)], key) for number in range(CONNECTIONS)]
    seconds = []
    for change in range(changes):
        number = 1 + change % 2
        shares = {str(number): 100, str(3 - number): 0}
        began_s = time.monotonic()
        _, *seen = await asyncio.gather(
            asyncio.to_thread(houses[0].manage, "PUT", "/deployments/pointed/traffic", {"shares": shares}),
            *(watcher.until(revisions[number], began_s) for watcher in watchers),
        )
        seconds.append(max(seen))
        # The other one is started again before it gets its turn.
        houses[0].manage("PUT", "/deployments/pointed/traffic", {"shares": {"1": 50, "2": 50}})
        await asyncio.sleep(2)
    for watcher in watchers:
        await watcher.client.aclose()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database")
    parser.add_argument("--valkey")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        houses = []
        for number in range(2 if asked.database else 1):
            shared = ("--database", asked.database, "--valkey", asked.valkey) if asked.database else ()
            workers = () if asked.database else ("--workers", str(asked.workers))
            house = Service(Path(folder) / f"data{number}", *shared, *workers)
            ending.callback(house.kill)
            if number:
                house.folder.mkdir(mode=0o700)
                (house.folder / "secret").write_bytes((houses[0].folder / "secret").read_bytes())
            house.start()
            houses.append(house)
        seconds = asyncio.run(measure(houses, asked.changes))
    where = "two services on one database" if asked.database else f"one service of {asked.workers} gateway processes"
    print(f"{where}: {len(seconds)} changes, median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s")


if __name__ == "__main__":
    main()
