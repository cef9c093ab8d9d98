"""Models, providers, deployments, aliases and prices."""

import hashlib

import pytest

from primeur.core.errors import BadRequest, Conflict, NotFound, SetupError
from primeur.registry import deployment_rows, rows
from primeur.registry.roll_outs import RollOutPolicy
from primeur.store.database import last_sequence
from primeur.walks.add_model import NewVersion, add_model, retire_model
from primeur.walks.add_provider import NewProvider, add_provider, remove_provider
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.deploy import NewRevision, deploy, remove_deployment
from primeur.walks.set_alias import remove_alias, set_alias
from primeur.walks.set_price import NewPrice, set_price

PAPER = NewProvider(kind="paper", settings={"url": "https://api.example.org"})


async def test_a_file_becomes_a_version_under_its_digest(founded, owner, write_gguf):
    """What its head says is written down; the same file twice is one version."""
    source = write_gguf(name="Tiny")
    first = await add_model(founded, owner, NewVersion("tiny", "MIT"), source)
    again = await add_model(founded, owner, NewVersion("tiny"), source)
    other = await add_model(founded, owner, NewVersion("tiny"), write_gguf("b.gguf", name="Other"))
    assert first == again
    assert first.digest == "sha256:" + hashlib.sha256(source.read_bytes()).hexdigest()
    assert (first.number, first.architecture, first.licence, other.number) == (1, "llama", "MIT", 2)


async def test_what_is_no_model_is_refused(founded, owner, tmp_path, write_gguf):
    """A file of another kind, an unusable name, other weights than promised: nothing is registered."""
    (tmp_path / "text.gguf").write_text("hello")
    for ask, source, error in (
        (NewVersion("tiny"), tmp_path / "text.gguf", SetupError),
        (NewVersion("a b"), write_gguf(), BadRequest),
        (NewVersion("tiny", sha256="0" * 64), write_gguf(), BadRequest),
    ):
        with pytest.raises(error):
            await add_model(founded, owner, ask, source)
    assert await founded.store.read(rows.list_models) == []


async def test_a_model_is_deployed_on_its_newest_version(founded, owner, write_gguf):
    """On llama.cpp, unless another engine is named."""
    await add_model(founded, owner, NewVersion("tiny"), write_gguf())
    version = await add_model(founded, owner, NewVersion("tiny"), write_gguf("b.gguf", name="b"))
    revision = await deploy(founded, owner, "chat", NewRevision(model="tiny"))
    assert (revision.engine, revision.version_id, revision.number) == ("llamacpp", version.id, 1)
    older = await deploy(founded, owner, "chat", NewRevision(model="tiny", version=1))
    assert (older.number, older.share) == (2, 100)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (NewRevision(), BadRequest),
        (NewRevision(engine="steam"), BadRequest),
        (NewRevision(model="none"), NotFound),
        (NewRevision(engine="echo", settings={"bad": 1}), SetupError),
        (NewRevision(engine="echo", provider="cloud"), BadRequest),
        (NewRevision(provider="none", upstream_model="x"), NotFound),
        (NewRevision(engine="echo", embeddings_by="none"), NotFound),
        (NewRevision(engine="echo", embeddings_by="chat"), BadRequest),
        (NewRevision(engine="echo", roll_out=RollOutPolicy(steps=(50,), step_requests=1)), BadRequest),
        (NewRevision(engine="echo", roll_out=RollOutPolicy(steps=(50, 25))), BadRequest),
        (NewRevision(engine="echo", type="provisioned"), BadRequest),
        (NewRevision(engine="echo", type="standard"), BadRequest),
    ],
)
async def test_a_bad_revision_leaves_the_running_one_untouched(founded, owner, ask, error):
    """One clear error, no event, no row."""
    good = await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    before = await founded.store.read(last_sequence)
    with pytest.raises(error):
        await deploy(founded, owner, "chat", ask)
    assert [one.id for one in await founded.store.read(deployment_rows.list_revisions)] == [good.id]
    assert await founded.store.read(last_sequence) == before


async def test_a_retired_model_is_not_deployed_again(founded, owner, write_gguf):
    """What runs goes on; adding a version brings it back."""
    await add_model(founded, owner, NewVersion("tiny"), write_gguf())
    await deploy(founded, owner, "chat", NewRevision(model="tiny"))
    await retire_model(founded, owner, "tiny")
    with pytest.raises(Conflict, match="is retired"):
        await deploy(founded, owner, "chat", NewRevision(model="tiny"))
    assert len((await compile_snapshot(founded)).launches) == 1
    await add_model(founded, owner, NewVersion("tiny"), write_gguf())
    await deploy(founded, owner, "chat", NewRevision(model="tiny"))


async def test_a_provider_is_checked_before_it_is_known(founded, owner):
    """Its kind, its settings, and that secrets are there."""
    for ask, words in (
        (NewProvider(kind="tin"), "installed: paper"),
        (NewProvider(kind="paper"), "url is missing"),
        (NewProvider(kind="paper", settings=PAPER.settings | {"api_key": "env:PRIMEUR_NOT_SET"}), "not set"),
    ):
        with pytest.raises((BadRequest, SetupError), match=words):
            await add_provider(founded, owner, "cloud", ask)
    assert await founded.store.read(rows.list_providers) == []


async def test_a_provider_in_use_stays(founded, owner):
    """Removing the deployment frees it."""
    await add_provider(founded, owner, "cloud", PAPER)
    await deploy(founded, owner, "gpt", NewRevision(provider="cloud", upstream_model="gpt-4.1"))
    with pytest.raises(Conflict, match="deployments run on"):
        await remove_provider(founded, owner, "cloud")
    await remove_deployment(founded, owner, "gpt")
    await remove_provider(founded, owner, "cloud")


async def test_an_alias_moves_and_goes_with_its_deployment(founded, owner):
    """Its name is its own."""
    await deploy(founded, owner, "a", NewRevision(engine="echo"))
    await deploy(founded, owner, "b", NewRevision(engine="echo"))
    for target in ("a", "b"):
        assert await set_alias(founded, owner, "latest", target) == target
    with pytest.raises(Conflict):
        await set_alias(founded, owner, "a", "b")
    with pytest.raises(Conflict):
        await deploy(founded, owner, "latest", NewRevision(engine="echo"))
    await remove_deployment(founded, owner, "b")
    with pytest.raises(NotFound):
        await remove_alias(founded, owner, "latest")


async def test_a_deployment_that_others_need_stays(founded, owner):
    """Embeddings are answered by it."""
    await deploy(founded, owner, "vectors", NewRevision(engine="echo"))
    await deploy(founded, owner, "chat", NewRevision(engine="echo", embeddings_by="vectors"))
    await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    with pytest.raises(Conflict, match="'chat' has its embeddings"):
        await remove_deployment(founded, owner, "vectors")


async def test_a_price_is_exact_or_refused(founded, owner):
    """Cached input costs as input when nothing else is said."""
    await deploy(founded, owner, "chat", NewRevision(engine="echo"))
    await set_price(founded, owner, "chat", NewPrice(currency="EUR", input="2.50", output="10"))
    price = (await compile_snapshot(founded)).deployments["chat"].price
    assert (price.input_nanos, price.cached_nanos, price.output_nanos) == (2500, 2500, 10000)
    with pytest.raises(BadRequest, match="finer than one nano"):
        await set_price(founded, owner, "chat", NewPrice(currency="EUR", input="0.0001", output="1"))
