"""Secrets that are given as text are sealed, used, rotated, and told to nobody."""

import io
import logging
import sqlite3
from pathlib import Path

import pytest

from primeur.core.chat import Target
from primeur.core.errors import BadRequest, SetupError
from primeur.registry import rows
from primeur.store.master_keys import FileKeys
from primeur.walks.add_provider import NewProvider, add_provider
from primeur.walks.apply import apply
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.read_refusal import refusal
from primeur.walks.seal_secrets import rotate_master_key

SECRET = "sk-planted-3f9a6c51e7"
PLAIN = {"url": "https://api.example.org", "api_key": SECRET}
PAPER = NewProvider(kind="paper", settings=PLAIN)


async def target_of(house) -> Target:
    found = (await compile_snapshot(house)).deployments["cloud"].targets
    return found[0]


async def kept(house) -> dict:
    return (await house.store.read(lambda tx: rows.find_provider(tx, "far"))).settings


@pytest.fixture
async def deployed(founded, owner):
    await add_provider(founded, owner, "far", PAPER)
    await deploy(founded, owner, "cloud", NewRevision(provider="far", upstream_model="big"))
    return founded


async def test_a_sealed_secret_is_what_the_provider_gets(deployed):
    """It is sealed in the database and nowhere else in clear."""
    sealed = (await kept(deployed))["api_key"]
    assert sealed.startswith("sealed:")
    assert SECRET not in sealed
    assert (await target_of(deployed)).endpoint.headers == ((b"authorization", b"Bearer " + SECRET.encode()),)


async def test_rotation_seals_anew(deployed, owner):
    """The new key is in force, the old one is not needed any more."""
    before = (await kept(deployed))["api_key"]
    rotated = await rotate_master_key(deployed, owner)
    after = (await kept(deployed))["api_key"]
    assert (rotated.secrets, after.split(":")[1]) == (1, rotated.key_id)
    assert before != after
    path = deployed.place.data_dir / "master.keys"
    path.write_text(path.read_text().splitlines()[-1])
    assert (await target_of(deployed)).endpoint.headers[0][1].endswith(SECRET.encode())


async def test_a_lost_or_damaged_master_key_is_said(deployed, owner):
    """And a rotation that cannot open everything changes nothing."""
    before, path = await kept(deployed), deployed.place.data_dir / "master.keys"
    text = path.read_text()
    path.write_text("")
    with pytest.raises(SetupError, match="restore the file"):
        await rotate_master_key(deployed, owner)
    assert await kept(deployed) == before
    path.write_text("id nonsense\n")
    with pytest.raises(SetupError, match="line 1"):
        FileKeys(path, bytes).current()
    path.write_text(text)
    assert await target_of(deployed)


async def test_what_is_shown_can_be_sent_back(client, deployed):
    """Changing another setting does not need the secret; a foreign seal is refused."""
    shown = (await client.get("/api/v1/providers/far")).json()
    ask = {"kind": "paper", "settings": shown["settings"] | {"zone": "eu"}}
    assert (await client.put("/api/v1/providers/far", json=ask)).status_code == 200
    assert (await target_of(deployed)).endpoint.headers[0][1].endswith(SECRET.encode())
    ask["settings"]["api_key"] = (await kept(deployed))["api_key"]
    assert (await client.put("/api/v1/providers/other", json=ask)).status_code == 400


async def test_a_file_never_has_a_secret_in_it(founded, owner):
    """It is copied and committed."""
    with pytest.raises(SetupError, match="env:NAME or file:PATH"):
        await apply(founded, owner, {"providers": {"far": {"kind": "paper", "settings": PLAIN}}}, dry_run=False)


@pytest.mark.parametrize("value", ["", 7, "x" * 9000])
async def test_what_cannot_be_a_secret_is_refused_without_being_repeated(founded, owner, value):
    """Before anything is kept."""
    with pytest.raises(BadRequest, match="api_key is a secret"):
        await add_provider(founded, owner, "far", NewProvider(kind="paper", settings=PLAIN | {"api_key": value}))


def files_with_secret(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


async def test_a_planted_secret_is_found_nowhere(client, deployed, owner, tmp_path: Path, caplog):
    """Not in any answer, the event log, its exports, errors that a target sends back, logs, or the files on disk."""
    caplog.set_level(logging.DEBUG)
    await rotate_master_key(deployed, owner)
    said = io.StringIO()
    for path in (
        "providers", "providers/far", "status", "deployments", "deployments/cloud", "audit/events?limit=500",
        "audit/export", "audit/export?form=cef", "requests", "usage",
    ):  # fmt: skip
        answer = await client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, path
        said.write(answer.text)
    bad = {"kind": "paper", "settings": {"api_key": SECRET}}
    said.write((await client.put("/api/v1/providers/bad", json=bad)).text)
    document = {"providers": {"far": {"kind": "paper", "settings": {"url": "https://b.example", "api_key": "env:K"}}}}
    said.write((await client.post("/api/v1/apply", json={"document": document, "dry_run": True})).text)
    echo = f'{{"error": {{"message": "bad key Bearer {SECRET}"}}}}'.encode()
    for status in (400, 403, 429, 500):
        error = refusal(status, {}, echo, await target_of(deployed))
        said.write(f"{error} {error!r} {error.message}")
    said.write(caplog.text + repr(deployed.key_service.current()))
    assert SECRET not in said.getvalue()
    with sqlite3.connect(tmp_path / "primeur.db") as raw:
        raw.execute("pragma wal_checkpoint(truncate)")
    raw.close()
    assert files_with_secret(tmp_path) == []
