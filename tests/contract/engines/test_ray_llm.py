"""Ray Serve LLM keeps as many replicas as are needed, and answers nobody but the bridge."""

import asyncio
from pathlib import Path

import httpx2
from speaking import Speaker

_SECONDS = 300
_CALLERS = 8


def replicas() -> int:
    """Replicas that have their model loaded: vLLM's own process beside each."""
    return sum(b"VLLM::EngineCore" in _read(process / "cmdline") for process in Path("/proc").glob("[0-9]*"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


async def until(count: int) -> None:
    """Wait until so many replicas run."""
    async with asyncio.timeout(_SECONDS):
        while replicas() != count:
            await asyncio.sleep(0.5)


async def test_replicas_come_and_go_with_the_load(far: Speaker) -> None:
    """One, two under load, one again; every request is answered."""
    await far.chat(max_tokens=1)
    assert replicas() == 1
    over = asyncio.Event()

    async def ask() -> int:
        answers = 0
        while not over.is_set():
            answer = await far.chat(max_tokens=100, ignore_eos=True)
            assert answer["usage"]["completion_tokens"] == 100
            answers += 1
        return answers

    callers = [asyncio.create_task(ask()) for _ in range(_CALLERS)]
    await until(2)
    over.set()
    assert sum(await asyncio.gather(*callers)) >= _CALLERS
    await until(1)


async def test_the_cluster_answers_nobody_without_the_key(far: Speaker, rack) -> None:
    """Not on the routes that are asked, nor on those that Ray Serve LLM has beside them."""
    await far.chat(max_tokens=1)
    proxy = str(rack.cluster.settings["proxy"])
    async with httpx2.AsyncClient(base_url=proxy, trust_env=False) as stranger:
        routes = (await stranger.get("/-/routes")).json()
        application = next(route for route in routes if route.startswith("/primeur-"))
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        for key in ("", "Bearer wrong"):
            headers = {"authorization": key}
            answer = await stranger.post(f"{application}/v1/chat/completions", json=body, headers=headers)
            assert answer.status_code == 401
        assert (await stranger.get(f"{application}/v1/models")).status_code == 404
