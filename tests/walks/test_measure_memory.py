"""Memory is measured, and what does not fit is refused."""

import dataclasses

import pytest

from primeur.core.errors import Conflict
from primeur.core.ports import EngineState
from primeur.registry import rows
from primeur.registry.rules import check_memory
from primeur.store.database import last_sequence
from primeur.walks.add_model import NewVersion, add_model
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.measure_memory import measure

GIB = 1 << 30


@pytest.fixture
async def loaded(founded, owner, write_gguf, host):
    """A deployment whose engine serves, and how much it holds."""
    await add_model(founded, owner, NewVersion("tiny"), write_gguf())
    revision = await deploy(founded, owner, "chat", NewRevision(model="tiny"))
    founded.board.now = await compile_snapshot(founded)

    async def hold(memory_bytes, phase="ready"):
        host.states[revision.id] = EngineState(phase, memory_bytes=memory_bytes)
        await measure(founded)
        (version,) = [one for one in await founded.store.read(rows.list_versions) if one.id == revision.version_id]
        return version.memory_bytes

    return hold


async def test_the_most_that_was_seen_is_kept(founded, loaded):
    """While it loads nothing is; a little more is no news."""
    assert await loaded(500, "loading") is None
    assert await loaded(1000) == 1000
    before = await founded.store.read(last_sequence)
    assert await loaded(1010) == 1000
    assert await loaded(900) == 1000
    assert await founded.store.read(last_sequence) == before
    assert await loaded(2000) == 2000


async def test_what_does_not_fit_is_refused(founded, owner, loaded, write_gguf, host):
    """Beside other weights; the same weights again are shared, and what runs goes on."""
    assert await loaded(GIB * 3 // 4) == GIB * 3 // 4
    other = await add_model(founded, owner, NewVersion("other"), write_gguf("b.gguf", name="b"))
    await founded.store.transact(lambda tx: rows.keep_memory(tx, other.id, GIB // 2))
    with pytest.raises(Conflict, match=r"held 0\.5 GiB when they ran.*chat 0\.8 GiB") as caught:
        await deploy(founded, owner, "more", NewRevision(model="other"))
    assert caught.value.code == "memory_exceeded"
    await deploy(founded, owner, "again", NewRevision(model="tiny"))
    roomy = dataclasses.replace(founded, place=dataclasses.replace(founded.place, memory_bytes=2 * GIB))
    await deploy(roomy, owner, "more", NewRevision(model="other"))
    assert host.states


def test_a_first_load_is_never_refused():
    """Nothing is guessed."""
    check_memory(None, {"chat": 10 * GIB}, GIB)
