"""Memory is measured by what was started, and what does not fit is refused."""

import dataclasses

import pytest

from primeur.core.errors import Conflict
from primeur.core.ports import EngineState
from primeur.core.scaling import Scaling
from primeur.registry import deployment_rows, rows
from primeur.registry.memory_rows import list_seen
from primeur.store.database import last_sequence
from primeur.walks.add_model import NewVersion, add_model
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.measure_memory import measure
from primeur.walks.roll_out import Shares, divide_traffic
from primeur.walks.scale_deployments import tick

MIB, GIB = 1 << 20, 1 << 30
SLOT = MIB * 100


class Sized:
    """An engine whose processes need 100 MiB for each slot, and says so."""

    name = "llamacpp"

    def __init__(self, engine):
        self.dialect, self._engine = engine.dialect, engine

    def plan(self, order):
        slots = order.settings.get("slots", 1)
        launch = self._engine.plan(dataclasses.replace(order, settings={}))
        return dataclasses.replace(launch, argv=("run", order.model, str(slots)), memory_bytes=slots * SLOT)


@pytest.fixture
async def sized(founded, owner, write_gguf):
    """A house of one GiB with such an engine, and the model ``tiny``."""
    house = dataclasses.replace(founded, engines=founded.engines | {"llamacpp": Sized(founded.engines["llamacpp"])})
    await add_model(house, owner, NewVersion("tiny"), write_gguf())
    return house


@pytest.fixture
def load(sized, owner, host):
    """Deploy ``tiny``, let its engine hold so much, and measure; gives the revision."""

    async def work(name, memory_bytes, phase="ready", shared=0, **settings):
        revision = await deploy(sized, owner, name, NewRevision(model="tiny", settings=settings))
        await recompile(sized)
        host.states[revision.id] = EngineState(phase, memory_bytes=memory_bytes, shared_bytes=shared)
        await measure(sized)
        await recompile(sized)
        return revision

    return work


async def recompile(house):
    house.board.now = await compile_snapshot(house)


async def revisions(house):
    return await house.store.read(deployment_rows.list_revisions)


async def test_the_most_that_was_seen_is_kept_by_what_was_started(sized, load, host):
    """While it loads nothing is; a little more is no news; other settings have a figure of their own."""
    revision = await load("chat", 500, "loading")
    assert not await sized.store.read(list_seen)
    for held, known in ((1000, 1000), (1010, 1000), (900, 1000), (2000, 2000)):
        host.states[revision.id] = EngineState("ready", memory_bytes=held)
        before = await sized.store.read(last_sequence)
        await measure(sized)
        ((one,),) = (await sized.store.read(list_seen)).values()
        assert one.memory_bytes == known
        assert one.computed_bytes == SLOT
        assert (await sized.store.read(last_sequence) > before) == (held == known)
    await load("wide", 5000, slots=2)
    ((wide, chat),) = (await sized.store.read(list_seen)).values()
    assert {wide.memory_bytes, chat.memory_bytes} == {5000, 2000}
    (version,) = await sized.store.read(rows.list_versions)
    assert version.memory_bytes == 5000


async def test_other_settings_are_not_let_in_on_what_the_default_held(sized, owner, load):
    """A revision of a hundred times the cache was let in on the default's figure once; an estimate says no."""
    await load("chat", 146 * MIB)
    before = await revisions(sized)
    with pytest.raises(Conflict, match=r"it needs 9\.8 GiB by an estimate .*held by chat 146\.0 MiB") as caught:
        await deploy(sized, owner, "chat", NewRevision(model="tiny", settings={"slots": 100}))
    assert caught.value.code == "memory_exceeded"
    assert await revisions(sized) == before
    await deploy(sized, owner, "chat", NewRevision(model="tiny", settings={"slots": 8}))


async def test_another_revision_of_the_same_version_counts(sized, owner, load):
    """The one that serves stays until the next is ready."""
    await load("chat", 600 * MIB)
    with pytest.raises(Conflict, match=r"as was measured with these settings, .* held by chat 600\.0 MiB"):
        await deploy(sized, owner, "chat", NewRevision(model="tiny"))


async def test_weights_that_are_mapped_from_one_file_count_once(sized, owner, load):
    """So a large model can be deployed again beside itself; other files that are mapped are not its weights."""
    (version,) = await sized.store.read(rows.list_versions)
    await sized.store.transact(lambda tx: rows.change_version(tx, version, {"size_bytes": 300 * MIB}))
    await load("chat", 600 * MIB, shared=400 * MIB)
    ((chat,),) = (await sized.store.read(list_seen)).values()
    assert chat.shared_bytes == 300 * MIB
    await deploy(sized, owner, "chat", NewRevision(model="tiny"))


async def test_what_is_still_loading_counts_with_what_it_will_hold(sized, owner, load):
    """And what is declared beside it, which no snapshot has seen."""
    await load("chat", None, "loading", slots=6)
    with pytest.raises(Conflict, match=r"held by chat 600\.0 MiB"):
        await deploy(sized, owner, "more", NewRevision(model="tiny", settings={"slots": 5}))
    await deploy(sized, owner, "more", NewRevision(model="tiny", settings={"slots": 2}))
    with pytest.raises(Conflict, match=r"held by chat 600\.0 MiB, more 200\.0 MiB"):
        await deploy(sized, owner, "third", NewRevision(model="tiny", settings={"slots": 3}))


async def test_as_many_replicas_as_there_must_be_have_to_fit(sized, owner):
    """Those that there may be are held back later, with the reason."""
    wide = NewRevision(model="tiny", settings={"slots": 3}, scaling=Scaling(min=4, max=4))
    with pytest.raises(Conflict, match="4 replicas need"):
        await deploy(sized, owner, "chat", wide)
    may = NewRevision(model="tiny", settings={"slots": 3}, scaling=Scaling(min=1, max=4))
    await deploy(sized, owner, "chat", may)


async def test_a_new_revision_begins_with_no_more_replicas_than_fit(sized, owner):
    """The one before it has as many as it could."""
    await deploy(sized, owner, "chat", NewRevision(model="tiny", settings={"slots": 3}, scaling=Scaling(min=3, max=3)))
    await recompile(sized)
    (three,) = sized.board.now.scaled
    assert three.replicas == 3
    small = dataclasses.replace(sized, place=dataclasses.replace(sized.place, memory_bytes=700 * MIB))
    await recompile(small)
    (one,) = small.board.now.scaled
    assert one.replicas == 2


async def test_a_first_load_of_which_nothing_is_known_is_not_guessed_about(founded, owner, write_gguf):
    """An engine that cannot compute its memory is measured."""
    await add_model(founded, owner, NewVersion("tiny"), write_gguf())
    small = dataclasses.replace(founded, place=dataclasses.replace(founded.place, memory_bytes=1))
    assert await deploy(small, owner, "chat", NewRevision(model="tiny"))


async def test_traffic_by_hand_starts_no_revision_that_does_not_fit(sized, owner, load):
    """The shares stay as they were."""
    await load("chat", 500 * MIB, slots=5)
    await load("chat", 300 * MIB, slots=3)
    sized.board.now = await compile_snapshot(sized)
    before = await revisions(sized)
    await load("more", 600 * MIB, slots=6)
    with pytest.raises(Conflict, match=r"needs 500\.0 MiB, as was measured with these settings"):
        await divide_traffic(sized, owner, "chat", Shares({"1": 50, "2": 50}))
    assert [one for one in await revisions(sized) if one.deployment_id == before[0].deployment_id] == before


async def test_two_that_wake_at_once_do_not_take_the_same_memory(sized, owner, host):
    """The second sees what the first was given before that has loaded; it says why it goes on sleeping."""
    sleepy, watched = Scaling(min=0, max=1, idle_after_s=1, up_cooldown_s=0), {}
    for name in ("one", "two"):
        await deploy(sized, owner, name, NewRevision(model="tiny", settings={"slots": 6}, scaling=sleepy))
        for _ in range(12):
            await recompile(sized)
            for process in sized.board.now.launches:
                host.ready(process)
            sized.clock.ms += 250
            await tick(sized, watched)
    asleep = sized.board.now.scaled
    assert [one.replicas for one in asleep] == [0, 0]
    sized.board.waiting.update({one.revision_id: 1 for one in asleep})
    await tick(sized, watched)
    assert sorted(one.replicas for one in sized.board.now.scaled) == [0, 1]
    (kept,) = [one for one in sized.board.now.scaled if not one.replicas]
    assert "memory has room for 0 of 1" in sized.board.now.deployments[kept.deployment].pending
