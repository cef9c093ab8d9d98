"""Ready is when nothing is on its way up for the first time."""

import dataclasses
import json

import httpx2
import pytest
from sqlalchemy import select

from primeur.core.ports import EngineState
from primeur.gateway.asgi import Gateway
from primeur.store.schema import events
from primeur.walks.check_readiness import check_readiness
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.point_deployment import Pointer, point_deployment
from primeur.walks.tell_limits import tell_limits


@pytest.mark.parametrize(
    ("state", "waiting"),
    [
        (EngineState("waiting", "about to start"), ["echo: about to start"]),
        (EngineState("loading", "loading weights 40 %"), ["echo: loading weights 40 %"]),
        (EngineState("starting", "starting", restarts=1), []),
        (EngineState("failed", "broke 6 times in a row, exit status 1", restarts=6), []),
    ],
)
async def test_an_engine_is_waited_for_until_it_has_broken_once(founded, host, state, waiting):
    """Whatever its reason says in words."""
    made = Pointer("echo", engine="echo")
    revision = await founded.store.transact(
        lambda tx: point_deployment(tx, made, entropy=founded.entropy, actor="test", now_ms=founded.clock.now_ms())
    )
    host.states[revision.id] = state
    founded.board.now = await compile_snapshot(founded)
    assert check_readiness(founded) == waiting


class LostLimiter:
    """Limits that others keep, and that cannot be reached."""

    def __init__(self, *, shares: bool) -> None:
        self.lost, self.shares_when_lost = "Valkey does not answer", shares


@pytest.mark.parametrize(("shares", "status", "words"), [(False, 503, "nothing that is limited"), (True, 200, "share")])
async def test_lost_limits_are_told_as_the_settings_say(founded, shares, status, words):
    """Fail closed: not ready, and why; shares: ready, with the reason beside it."""
    house = dataclasses.replace(founded, limiter=LostLimiter(shares=shares))
    transport = httpx2.ASGITransport(Gateway(house))
    async with httpx2.AsyncClient(transport=transport, base_url="http://primeur.test") as client:
        answer = await client.get("/readyz")
    assert answer.status_code == status
    assert "Valkey does not answer" in answer.text
    assert words in answer.text


async def test_losing_limits_and_finding_them_are_events(founded):
    """With the process, the reason and the choice."""
    await tell_limits(founded, "w1", "Valkey does not answer", shares=True)
    await tell_limits(founded, "w1", "", shares=True)
    rows = await founded.store.read(lambda tx: tx.execute(select(events.c.kind, events.c.data)).all())
    told = {kind: json.loads(data) for kind, data in rows if kind.startswith("SharedLimits")}
    lost = told["SharedLimitsLost"]
    assert (lost["process"], lost["reason"], lost["choice"]) == ("w1", "Valkey does not answer", "share")
    assert told["SharedLimitsFound"]["process"] == "w1"
