"""Providers' models in the registry: named, described, deployed, retired, declared."""

import json

import pytest

from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.registry import deployment_rows, rows
from primeur.walks.add_provider import NewProvider, add_provider, remove_provider
from primeur.walks.add_upstream import NewUpstream, add_upstream
from primeur.walks.apply import apply
from primeur.walks.change_model import ModelChange, VersionChange, change_model, change_version
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.deploy import NewRevision, deploy

CLOUD = NewProvider(kind="paper", settings={"url": "https://api.example.org"})
DAY_MS = 86_400_000


@pytest.fixture
async def cloud(founded, owner):
    """A house that knows a provider."""
    await add_provider(founded, owner, "cloud", CLOUD)
    return founded


def named(upstream_model: str, **said) -> NewUpstream:
    return NewUpstream(provider="cloud", upstream_model=upstream_model, **said)


async def test_a_providers_model_is_a_version_like_any_other(cloud, owner):
    """The same model of the same provider is one version; another one is the next."""
    first = await add_upstream(cloud, owner, "gpt", named("gpt-a", licence="mit", languages=["en", "fr", "en"]))
    again = await add_upstream(cloud, owner, "gpt", named("gpt-a"))
    other = await add_upstream(cloud, owner, "gpt", named("gpt-b", context_tokens=9000))
    assert first == again
    assert (first.number, other.number, first.format, first.licence, first.languages) == (
        1,
        2,
        "upstream",
        "MIT",
        "en fr",
    )
    revision = await deploy(cloud, owner, "chat", NewRevision(model="gpt"))
    assert (revision.version_id, revision.engine, revision.upstream_model) == (other.id, None, "gpt-b")
    target = (await compile_snapshot(cloud)).deployments["chat"].targets[0]
    assert (target.upstream_model, target.context_tokens) == ("gpt-b", 9000)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (named("x", licence="no licence at all"), BadRequest),
        (named("x", languages=["English"]), BadRequest),
        (named("x", retires="soon"), BadRequest),
        (NewUpstream(provider="nobody", upstream_model="x"), NotFound),
    ],
)
async def test_what_cannot_be_said_of_a_model_registers_nothing(cloud, owner, ask, error):
    """One error, no model."""
    with pytest.raises(error):
        await add_upstream(cloud, owner, "gpt", ask)
    assert await cloud.store.read(rows.list_models) == []


async def test_without_a_number_the_default_version_is_meant(cloud, owner):
    """``latest`` is always the newest; a number is what it says; a missing one is told with those there are."""
    for name in ("gpt-a", "gpt-b", "gpt-c"):
        await add_upstream(cloud, owner, "gpt", named(name))
    await change_model(cloud, owner, "gpt", ModelChange(default_version=2))
    versions = {one.id: one.number for one in await cloud.store.read(rows.list_versions)}
    for asked, meant in ((None, 2), ("default", 2), ("latest", 3), (1, 1)):
        revision = await deploy(cloud, owner, "chat", NewRevision(model="gpt", version=asked))
        assert versions[revision.version_id] == meant
    for missing in (7, 0, -1):
        with pytest.raises(NotFound, match="it has 1, 2, 3"):
            await deploy(cloud, owner, "chat", NewRevision(model="gpt", version=missing))
    with pytest.raises(NotFound):
        await change_model(cloud, owner, "gpt", ModelChange(default_version=9))


async def test_what_is_said_of_a_version_changes_and_what_it_is_does_not(cloud, owner):
    """Given fields only; null takes away."""
    await add_upstream(cloud, owner, "gpt", named("gpt-a", licence="MIT", languages=["en"]))
    await change_version(cloud, owner, "gpt", 1, VersionChange(languages=["fr"], card={"text": "# Card"}))
    changed = await change_version(cloud, owner, "gpt", 1, VersionChange(licence=None, retires="2031-01-31"))
    assert (changed.licence, changed.languages, json.loads(changed.card)) == (None, "fr", {"text": "# Card"})
    assert changed.retires_ms == 1_927_584_000_000
    with pytest.raises(BadRequest):
        await change_version(cloud, owner, "gpt", 1, VersionChange(languages=["Elvish!"]))


async def test_a_version_that_has_ended_is_neither_deployed_nor_made_default(cloud, owner):
    """And the error says when it ended."""
    await add_upstream(cloud, owner, "gpt", named("gpt-a", retires="2100-01-01"))
    cloud.clock.ms = 4_102_444_800_000
    with pytest.raises(Conflict, match="2100-01-01"):
        await deploy(cloud, owner, "chat", NewRevision(model="gpt"))
    with pytest.raises(BadRequest, match="2100-01-01"):
        await change_model(cloud, owner, "gpt", ModelChange(default_version=1))
    assert await cloud.store.read(deployment_rows.list_deployments) == []


async def test_a_version_ends_today_or_later(cloud, owner):
    """A day that is over is refused with what to say instead; the day on which it has ended may be said again."""
    for call in (
        add_upstream(cloud, owner, "gpt", named("gpt-a", retires="2001-01-01")),
        apply(
            cloud,
            owner,
            {"models": {"x": {"provider": "cloud", "upstream_model": "x", "retires": "2001-01-01"}}},
            dry_run=False,
        ),
    ):
        with pytest.raises(BadRequest, match="2001-01-01 is over; name a later day, or 2026-09-21 to end"):
            await call
    await add_upstream(cloud, owner, "gpt", named("gpt-a", retires="2026-09-21"))
    cloud.clock.ms += 2 * 86_400_000
    same = await change_version(cloud, owner, "gpt", 1, VersionChange(retires="2026-09-21", languages=["en"]))
    assert same.languages == "en"
    with pytest.raises(BadRequest, match="2026-09-22 is over"):
        await change_version(cloud, owner, "gpt", 1, VersionChange(retires="2026-09-22"))


async def test_a_provider_whose_models_are_registered_stays(cloud, owner):
    """Or they could not be deployed any more."""
    await add_upstream(cloud, owner, "gpt", named("gpt-a"))
    with pytest.raises(Conflict):
        await remove_provider(cloud, owner, "cloud")


async def test_a_providers_model_is_declared(founded, owner):
    """In the file, before the deployment that runs it; a second time there is nothing to do."""
    document = {
        "providers": {"cloud": {"kind": "paper", "settings": {"url": "https://api.example.org"}}},
        "models": {"gpt": {"provider": "cloud", "upstream_model": "gpt-a", "languages": ["en"]}},
        "deployments": {"chat": {"model": "gpt"}},
    }
    applied = await apply(founded, owner, document, dry_run=False)
    assert [one.noun for one in applied.changes] == ["providers", "models", "deployments"]
    assert (await apply(founded, owner, document, dry_run=False)).changes == []
    with pytest.raises(BadRequest, match="give one of the two"):
        await apply(founded, owner, {"models": {"x": {"provider": "cloud"}}}, dry_run=True)


@pytest.mark.usefixtures("cloud")
async def test_the_api_names_describes_and_retires(client):
    """Every field can be read again."""
    asked = {"provider": "cloud", "upstream_model": "gpt-a", "languages": ["en"], "card": {"text": "hi"}}
    made = await client.put("/api/v1/models/gpt/upstream", json=asked)
    assert (made.status_code, made.json()["provider"], made.json()["languages"]) == (201, "cloud", ["en"])
    changed = await client.patch("/api/v1/models/gpt/versions/1", json={"retires": "2030-05-01"})
    assert changed.json()["retires_ms"] == 1_903_824_000_000
    assert (await client.patch("/api/v1/models/gpt", json={"default_version": 1})).json()["default_version"] == 1
    for path, status in (("gpt/versions/7", 404), ("gpt/versions/one", 404), ("none/versions/1", 404)):
        assert (await client.patch(f"/api/v1/models/{path}", json={})).status_code == status
    assert (await client.patch("/api/v1/models/gpt/versions/1", json={"weights": 1})).status_code == 400
    gone = (await client.delete("/api/v1/models/gpt")).json()
    assert gone["retired_ms"]
    assert (await client.put("/api/v1/deployments/chat", json={"model": "gpt"})).status_code == 409
