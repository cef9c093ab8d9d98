"""Weights in the store: folders come in whole or not at all, are verified, go out as they came, and go when unnamed."""

import asyncio
import io
import json
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from primeur.core.errors import BadRequest, Conflict, SetupError
from primeur.core.tar import tar_pieces, tar_size
from primeur.registry import rows
from primeur.walks.add_model import NewVersion, add_folder, add_model, retire_model
from primeur.walks.deploy import NewRevision, deploy
from primeur.walks.export_model import export_model
from primeur.walks.hold_store import adding, clearing
from primeur.walks.inspect_models import collect_weights, verify_model


def write_folder(folder: Path, fill: int = 0) -> Path:
    """A small model as safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    head = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + bytes([fill]) * 8)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    return folder


@pytest.fixture
def pack(tmp_path: Path):
    """Writes a folder's archive as the command line does."""

    def write(folder: Path, name: str = "w.tar") -> Path:
        names = sorted(path.name for path in folder.iterdir())
        data = b"".join(tar_pieces(folder, names))
        assert len(data) == tar_size(folder, names)
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


async def test_a_folder_comes_in_and_goes_out(founded, owner, tmp_path, pack):
    """Registered under the digest of all its files; what goes out is what came in."""
    archive = pack(write_folder(tmp_path / "tiny"))
    version = await add_folder(founded, owner, NewVersion("tiny", "mit"), archive)
    again = await add_folder(founded, owner, NewVersion("tiny"), archive)
    assert (version.format, version.parameters, version.quantisation) == ("safetensors", 2, "F32")
    assert version.licence == "MIT"
    assert again.id == version.id
    name, stream = await export_model(founded, "tiny", None)
    assert name == "tiny-1.tar"
    assert b"".join([piece async for piece in stream]) == archive.read_bytes()


async def test_other_weights_than_were_said_leave_nothing_behind(founded, owner, tmp_path, pack, write_gguf):
    """A file and a folder whose digest is another one."""
    nothing = "0" * 64
    with pytest.raises(BadRequest, match=f"not sha256:{nothing}"):
        await add_model(founded, owner, NewVersion("tiny", sha256=nothing), write_gguf())
    with pytest.raises(BadRequest, match=f"not sha256:{nothing}"):
        await add_folder(founded, owner, NewVersion("tiny", sha256=nothing), pack(write_folder(tmp_path / "tiny")))
    assert await founded.store.read(rows.list_models) == []
    assert await collect_weights(founded, owner, dry_run=True) == []


async def test_damage_in_the_store_is_found_and_put_right(founded, owner, tmp_path, pack, write_gguf):
    """In a file and in a folder; whole ones are whole, and damaged ones are when they are added again."""
    await add_folder(founded, owner, NewVersion("both"), pack(write_folder(tmp_path / "tiny")))
    await add_model(founded, owner, NewVersion("both"), write_gguf())
    assert [one.fault for one in await verify_model(founded, "both")] == ["", ""]
    for one in await founded.store.read(rows.list_versions):
        path = founded.place.data_dir / one.path
        damaged = path / "config.json" if path.is_dir() else path
        damaged.chmod(0o644)
        damaged.write_bytes(damaged.read_bytes() + b" ")
    assert all("add the weights again" in one.fault for one in await verify_model(founded, "both"))
    await add_folder(founded, owner, NewVersion("both"), pack(write_folder(tmp_path / "tiny")))
    await add_model(founded, owner, NewVersion("both"), write_gguf())
    assert [one.fault for one in await verify_model(founded, "both")] == ["", ""]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
async def test_an_archive_holds_plain_files_only(founded, owner, tmp_path, kind):
    """No links, no folders, no way out of the folder; nothing is left behind."""
    for name in ("x", "../x", "a/b"):
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = (kind, "/etc/passwd") if name == "x" else (tarfile.REGTYPE, "")
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as opened:
            opened.addfile(entry)
        archive = tmp_path / "bad.tar"
        archive.write_bytes(data.getvalue())
        with pytest.raises(BadRequest, match="plain files"):
            await add_folder(founded, owner, NewVersion("bad"), archive)
    assert not (tmp_path / "bad.unpacked").exists()
    assert await founded.store.read(rows.list_models) == []


async def test_pickles_and_free_words_are_refused(founded, owner, tmp_path, pack, write_gguf):
    """Weights that run code; a licence that is no SPDX expression."""
    folder = write_folder(tmp_path / "tiny")
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(SetupError, match=r"^pytorch_model\.bin is a pickle"):
        await add_folder(founded, owner, NewVersion("tiny"), pack(folder))
    with pytest.raises(BadRequest, match="SPDX"):
        await add_model(founded, owner, NewVersion("tiny", "free beer"), write_gguf())


async def test_only_what_nothing_names_is_collected(founded, owner, tmp_path, pack, write_gguf):
    """Weights of a retired model go, but not those that a revision names; a dry run removes nothing."""
    await add_folder(founded, owner, NewVersion("gone"), pack(write_folder(tmp_path / "tiny")))
    kept = await add_model(founded, owner, NewVersion("kept"), write_gguf())
    await deploy(founded, owner, "chat", NewRevision(model="kept"))
    stray = founded.place.data_dir / "store" / "sha256" / "ab" / f"{'ab' * 32}.gguf"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"12345")
    assert [one.size_bytes for one in await collect_weights(founded, owner, dry_run=True)] == [5]
    for name in ("gone", "kept"):
        await retire_model(founded, owner, name)
    assert len(await collect_weights(founded, owner, dry_run=False)) == 2
    assert await collect_weights(founded, owner, dry_run=True) == []
    assert (founded.place.data_dir / kept.path).exists()
    assert not stray.exists()


class PausedStore:
    """A store whose transactions wait for a word."""

    def __init__(self, store):
        self._store, self.may = store, asyncio.Event()

    async def transact(self, work):
        await self.may.wait()
        return await self._store.transact(work)


async def test_weights_that_are_stored_and_not_registered_yet_are_not_collected(founded, owner, write_gguf):
    """Nothing names them at that moment; who collects waits until something does."""
    slow = PausedStore(founded.store)
    coming = asyncio.create_task(add_model(replace(founded, store=slow), owner, NewVersion("tiny"), write_gguf()))
    shelves = founded.place.data_dir / "store" / "sha256"
    while not list(shelves.glob("??/*.gguf")):
        await asyncio.sleep(0.01)
    collecting = asyncio.create_task(collect_weights(founded, owner, dry_run=False))
    await asyncio.wait([collecting], timeout=1)
    slow.may.set()
    version = await coming
    assert await collecting == []
    assert (founded.place.data_dir / version.path).exists()
    assert [one.fault for one in await verify_model(founded, "tiny")] == [""]


async def test_many_may_add_and_nobody_waits_for_ever(tmp_path):
    """Each is told what goes on and what to do."""
    async with adding(tmp_path), adding(tmp_path, tries=1):
        with pytest.raises(Conflict, match="being added; collect again"):
            await clearing(tmp_path, tries=2).__aenter__()
    async with clearing(tmp_path):
        with pytest.raises(Conflict, match="being collected; add these again"):
            await adding(tmp_path, tries=2).__aenter__()
