"""Servers that are not ours are started, waited for and ended like our own."""

import asyncio
import json
import sys
from pathlib import Path

import msgspec

from primeur.core.chat import Route
from primeur.core.ports import EngineOrder, Launch
from primeur.engines.program import ProgramPlan

SERVER = str(Path(__file__).parent / "foreign_server.py")


def launch(*more: str) -> Launch:
    """A launch of the foreign server."""
    plan = ProgramPlan((sys.executable, SERVER, "--port", "{port}", *more), "FOREIGN_KEY", "foreign:requests_")
    argv = (sys.executable, "-m", "primeur.engines.program", msgspec.json.encode(plan).decode())
    return Launch(argv, frozenset({Route.CHAT}))


def order(tmp_path: Path) -> EngineOrder:
    """What every launch is ordered with."""
    return EngineOrder("rev_foreign", "m", None, {}, 2, 1 << 30, tmp_path / "rev_foreign.log")


async def test_it_is_keyed_and_finishes_what_it_was_asked(open_host, until, pool, tmp_path: Path) -> None:
    """The program reads its key by environment, none of ours; an answer under way outlives the order to end."""
    host = await open_host()
    host.want({"rev_foreign": (order(tmp_path), launch())})
    endpoint = (await until(host, "rev_foreign", "ready")).endpoint
    asking = asyncio.create_task(pool.send(endpoint, "POST", "/ask", b"{}"))
    await asyncio.sleep(0.2)
    host.want({})
    told = json.loads(await (await asking).read(1 << 16))
    assert told["right"]
    assert not [name for name in told["environment"] if name.startswith("PRIMEUR_ENGINE_")]


async def test_its_last_words_are_kept(open_host, until, tmp_path: Path) -> None:
    """A program that ends by itself is a failure with a reason, and what it said is in the log."""
    host = await open_host()
    host.want({"rev_foreign": (order(tmp_path), launch("--fail"))})
    state = await until(host, "rev_foreign", "failed")
    assert "ended with status 1" in state.detail
    assert "no weights, no server" in (tmp_path / "rev_foreign.log").read_text()
