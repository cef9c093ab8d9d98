"""Ready is when nothing is on its way up for the first time."""

import pytest

from primeur.core.ports import EngineState
from primeur.walks.check_readiness import check_readiness
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.point_deployment import Pointer, point_deployment


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
