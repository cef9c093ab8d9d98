"""The first start and the later ones."""

import hashlib

import pytest

from primeur.core.errors import SetupError
from primeur.governance import rules
from primeur.registry import deployment_rows, rows
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.found_house import found_house


@pytest.fixture
def weights(tmp_path, write_gguf):
    """A folder of two small models and their manifest."""
    tables = []
    for name, architecture in (("starter", "llama"), ("minilm", "bert")):
        path = write_gguf(f"weights/{name}.gguf", architecture=architecture)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        tables.append(
            f'[[models]]\nname="{name}"\nfile="{name}.gguf"\nsha256="{digest}"\nlicence="Apache-2.0"\ncard="card.md"\nlanguages=["en","fr"]\n'
        )
    (tmp_path / "weights" / "card.md").write_text("It babbles.")
    (tmp_path / "weights" / "manifest.toml").write_text("\n".join(tables))
    return tmp_path / "weights"


async def test_the_first_start_makes_a_key_that_works(house):
    """Its text is known now and never again."""
    founding = await found_house(house)
    caller = (await compile_snapshot(house)).callers[rules.digest_key(founding.key, house.place.pepper)]
    assert (caller.name, caller.project_id) == ("default", founding.project_id)
    assert "inference" in caller.permissions


async def test_a_later_start_finds_everything_and_makes_nothing(house):
    """Same organisation and project; no new key, no new link."""
    first = await found_house(house)
    again = await found_house(house)
    assert (again.organisation_id, again.project_id) == (first.organisation_id, first.project_id)
    assert again.key is None
    assert again.sign_in is None


async def test_starter_models_are_deployed(house, weights):
    """The model that makes vectors answers the embeddings of the one that makes tokens."""
    await found_house(house, weights=weights)
    found = {one.name: one.embeddings_by for one in await house.store.read(deployment_rows.list_deployments)}
    assert found == {"starter": "minilm", "minilm": None}
    (version, _) = await house.store.read(rows.list_versions)
    assert version.licence == "Apache-2.0"
    assert "It babbles." in version.card
    assert version.languages == "en fr"
    assert (house.place.data_dir / version.path).is_file()


async def test_damaged_starter_weights_stop_the_first_start(house, weights):
    """Nothing is founded, and the file is named."""
    (weights / "minilm.gguf").write_bytes((weights / "starter.gguf").read_bytes())
    with pytest.raises(SetupError, match=r"minilm\.gguf is not the file"):
        await found_house(house, weights=weights)
    assert (await compile_snapshot(house)).callers == {}


async def test_a_damaged_manifest_is_one_clear_line(house, weights):
    """It says what to do."""
    (weights / "manifest.toml").write_text("models = 3")
    with pytest.raises(SetupError, match="install Primeur again"):
        await found_house(house, weights=weights)


async def test_echo_is_deployed_only_when_asked_for(house):
    """And only where no real model is."""
    await found_house(house, echo=True)
    assert [one.name for one in await house.store.read(deployment_rows.list_deployments)] == ["echo"]
