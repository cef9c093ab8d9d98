"""Measurements are kept for the machine they were made on, and engine "auto" follows them."""

import pytest

from primeur.core.errors import BadRequest, NotFound
from primeur.registry.measurement_rows import list_measurements
from primeur.walks.add_model import NewVersion, add_model
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.measure_engine import LevelMeasured, NewMeasurement, keep_measurement


def measurement(engine: str, tokens_per_s: float) -> NewMeasurement:
    """Figures at four streams."""
    return NewMeasurement(engine=engine, levels=[LevelMeasured(streams=4, tokens_per_s=tokens_per_s)])


async def test_auto_follows_what_was_measured(founded, owner, write_gguf):
    """The newest figures of an engine count; without any, the default runs."""
    version = await add_model(founded, owner, NewVersion("tiny"), write_gguf())
    assert (await deploy(founded, owner, "chat", NewRevision(model="tiny", engine="auto"))).engine == "llamacpp"
    for engine, tokens_per_s in (("llamacpp", 100), ("echo", 50), ("echo", 200)):
        await keep_measurement(founded, owner, "tiny", measurement(engine, tokens_per_s))
    assert (await deploy(founded, owner, "chat", NewRevision(model="tiny", engine="auto"))).engine == "echo"
    kept = await founded.store.read(lambda tx: list_measurements(tx, version.id))
    assert {one.measured.engine: one.measured.tokens_per_s[4] for one in kept} == {"llamacpp": 100, "echo": 200}


async def test_what_cannot_be_measured_is_refused(founded, owner, write_gguf):
    """An engine that is not there, a model that is not there, auto without a model."""
    await add_model(founded, owner, NewVersion("tiny"), write_gguf())
    with pytest.raises(BadRequest, match="installed: echo, llamacpp"):
        await keep_measurement(founded, owner, "tiny", measurement("steam", 1))
    with pytest.raises(NotFound):
        await keep_measurement(founded, owner, "none", measurement("echo", 1))
    with pytest.raises(BadRequest, match="chosen for a model"):
        await deploy(founded, owner, "chat", NewRevision(engine="auto"))
