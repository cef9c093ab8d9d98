"""A crowd that knows which revision answered it, and what a test does to a roll-out."""

import asyncio
import json
from collections import Counter

import httpx2

CLIENTS = 6
POLICY = {"steps": [10, 50], "step_requests": 20, "step_s": 0, "rollback_window_s": 60, "sticky": "request"}


class Crowd:
    """Clients that ask without pause, and what became of it.

    Attributes:
        fates: ``completed``, or what a client was told instead.
        revisions: how many answers each revision gave.
    """

    def __init__(self, house, key, *, clients: int = CLIENTS) -> None:
        self.house, self.key, self.clients = house, key, clients
        self.fates: Counter[str] = Counter()
        self.revisions: Counter[str] = Counter()
        self.stop = asyncio.Event()

    async def run(self) -> None:
        await asyncio.gather(*(self._ask(number) for number in range(self.clients)))

    async def _ask(self, number: int) -> None:
        async with httpx2.AsyncClient(headers={"authorization": f"Bearer {self.key}"}, timeout=30) as client:
            while not self.stop.is_set():
                fate = await self._once(client, streamed=number % 2 == 0)
                self.fates[fate] += 1
                if fate != "completed":
                    await asyncio.sleep(0.05)

    async def _once(self, client: httpx2.AsyncClient, *, streamed: bool) -> str:
        body = {"model": "chat", "stream": streamed, "messages": [{"role": "user", "content": "one two three " * 20}]}
        if streamed:
            body["stream_options"] = {"include_usage": True}
        try:
            async with client.stream("POST", f"{self.house.url}/v1/chat/completions", json=body) as answer:
                text = (await answer.aread()).decode()
        except httpx2.ConnectError:
            return "unreachable"
        except httpx2.HTTPError:
            return "lost"
        if answer.status_code != 200:
            return f"refused {json.loads(text)['error']['code']}"
        if streamed and not text.endswith("data: [DONE]\n\n"):
            assert '"error"' in text, text
            return "broken off in words"
        # The head names the revision that began, the end the one that finished and is paid for.
        last = json.loads(text.split("data: ")[-2]) if streamed else json.loads(text)
        assert last["primeur"]["revision"] == answer.headers["x-primeur-revision"], text
        self.revisions[answer.headers["x-primeur-revision"]] += 1
        return "completed"


def deploy(house, **revision):
    return house.manage("PUT", "/deployments/chat", {"engine": "echo"} | revision)


def newest(house):
    return house.manage("GET", "/deployments/chat/roll-outs")["data"][0]


def move(house, what):
    return house.manage("POST", "/deployments/chat/roll-out", {"move": what})


def shares(house):
    return {one["number"]: one["share"] for one in house.manage("GET", "/deployments/chat")["revisions"]}


def wait_for(house, *states):
    house.wait_until(lambda: newest(house)["state"] in states, f"{states}", seconds=60)
