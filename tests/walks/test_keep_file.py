"""Files and uploads: kept, assembled, deleted, forgotten in time."""

import asyncio
import hashlib
import os

import pytest

from primeur.archive.file_rows import find_file
from primeur.archive.rules import Label
from primeur.archive.upload_rows import find_upload
from primeur.archive.wire import CreateUpload
from primeur.core.caller import Caller, Limits
from primeur.core.errors import BadRequest, Conflict, NotFound, TooLarge
from primeur.governance import rows as governance
from primeur.walks.assemble_upload import add_part, cancel_upload, complete_upload, look_up_upload, open_upload
from primeur.walks.expire_files import expire_files, expire_once, sweep_orphans
from primeur.walks.keep_file import forget_file, keep_file, read_blob
from primeur.walks.keep_weights import keep_weights

CALLER = Caller("key_1", "prj_1", "org_1", "app", frozenset({"files"}))


@pytest.fixture
def home(house):
    """A house with the project that files belong to."""

    def found(tx):
        governance.add_organisation(tx, governance.Organisation("org_1", "default", 1))
        project = governance.Project("prj_1", "org_1", "default", keeps_prompts=False, limits=Limits(), created_ms=2)
        governance.add_project(tx, project)

    house.store.transact_now(found)
    return house


def seal(house, data):
    draft = house.blobs.draft(1 << 20, "it")
    draft.write(data)
    return draft.seal()


def blobs(house):
    return sorted(house.blobs.old_digests(1 << 62))


async def test_a_file_is_read_as_it_was_written(home):
    """Byte for byte."""
    file = await keep_file(home, CALLER, seal(home, b"abc" * 200_000), Label("a.txt", "user_data"))
    assert home.store.read_now(lambda tx: find_file(tx, "prj_1", file.id, 0)) == file
    assert b"".join([piece async for piece in await read_blob(home, file.digest)]) == b"abc" * 200_000


async def test_bytes_go_with_the_last_file_that_has_them(home):
    """Two files of the same bytes are one blob."""
    one = await keep_file(home, CALLER, seal(home, b"abc"), Label("a.txt", "user_data"))
    two = await keep_file(home, CALLER, seal(home, b"abc"), Label("b.txt", "user_data"))
    await forget_file(home, CALLER, one.id)
    assert blobs(home) == [two.digest]
    await forget_file(home, CALLER, two.id)
    assert blobs(home) == []
    with pytest.raises(NotFound):
        await forget_file(home, CALLER, two.id)
    with pytest.raises(NotFound, match="restore a backup"):
        await read_blob(home, two.digest)


async def test_a_file_goes_when_its_time_is_over(home, clock):
    """Row and bytes."""
    mortal = await keep_file(home, CALLER, seal(home, b"abc"), Label("a.txt", "batch", 3600))
    clock.ms += 3_599_000
    assert await expire_once(home) == 0
    clock.ms += 1_000
    assert await expire_once(home) == 1
    with pytest.raises(NotFound):
        home.store.read_now(lambda tx: find_file(tx, "prj_1", mortal.id, 0))
    assert blobs(home) == []


async def upload(house, *parts, size=None, **more):
    asked = CreateUpload("b.bin", "batch", size or sum(map(len, parts)), "text/plain", **more)
    opened = await open_upload(house, CALLER, asked)
    return opened.id, [(await add_part(house, CALLER, opened.id, seal(house, part))).id for part in parts]


async def test_parts_become_a_file_in_the_order_given(home):
    """Checked by md5; the parts are gone afterwards."""
    upload_id, (one, two) = await upload(home, b"world", b"hello ")
    md5 = hashlib.md5(b"hello world", usedforsecurity=False).hexdigest()
    done, file = await complete_upload(home, CALLER, upload_id, [two, one], md5)
    assert (done.state, done.file_id, file.size_bytes, file.purpose) == ("completed", file.id, 11, "batch")
    assert b"".join([piece async for piece in await read_blob(home, file.digest)]) == b"hello world"
    assert blobs(home) == [file.digest]
    assert (await look_up_upload(home, CALLER, upload_id))[1] == file


async def test_what_does_not_fit_together_is_refused_and_can_be_mended(home):
    """The upload stays open."""
    upload_id, parts = await upload(home, b"abc", b"def")
    with pytest.raises(BadRequest, match="3 bytes; the upload announced 6"):
        await complete_upload(home, CALLER, upload_id, parts[:1], None)
    with pytest.raises(BadRequest, match="md5"):
        await complete_upload(home, CALLER, upload_id, parts, "0" * 32)
    await complete_upload(home, CALLER, upload_id, parts, None)
    with pytest.raises(Conflict):
        await complete_upload(home, CALLER, upload_id, parts, None)


async def test_a_cancelled_upload_keeps_nothing(home):
    """And takes nothing."""
    upload_id, _ = await upload(home, b"abc", size=9)
    assert (await cancel_upload(home, CALLER, upload_id)).state == "cancelled"
    assert blobs(home) == []
    with pytest.raises(Conflict, match="cancelled"):
        await add_part(home, CALLER, upload_id, seal(home, b"x"))


async def test_an_upload_that_nobody_finishes_expires(home, clock):
    """It takes nothing from that moment, swept or not."""
    upload_id, parts = await upload(home, b"abc")
    clock.ms += 3_600_000
    with pytest.raises(Conflict, match="has expired"):
        await complete_upload(home, CALLER, upload_id, parts, None)
    assert await expire_once(home) == 1
    assert home.store.read_now(lambda tx: find_upload(tx, "prj_1", upload_id)).state == "expired"
    assert blobs(home) == []


async def test_an_upload_beyond_the_limit_is_refused_at_once(home):
    """Before its first byte."""
    with pytest.raises(TooLarge):
        await open_upload(home, CALLER, CreateUpload("b", "batch", (8 << 30) + 1, "text/plain"))


async def test_what_a_crash_left_behind_is_swept_up(home):
    """Drafts and nameless bytes that are older than an hour; what is kept stays."""
    kept = await keep_file(home, CALLER, seal(home, b"kept"), Label("a.txt", "user_data"))
    lost = seal(home, b"lost")
    home.blobs.keep(lost)
    draft = seal(home, b"draft").path
    for path in (home.blobs.path(kept.digest), home.blobs.path(lost.digest), draft):
        os.utime(path, (0, 0))
    young = seal(home, b"young").path
    os.utime(young, (home.clock.now_ms() / 1000,) * 2)
    assert await sweep_orphans(home) == 2
    assert blobs(home) == [kept.digest]
    assert [path.exists() for path in (young, draft)] == [True, False]


async def test_weights_in_the_same_store_are_nobodys_orphans(home, tmp_path):
    """However old they are: no file names them, and yet a model does."""
    source = tmp_path / "old.gguf"
    source.write_bytes(b"GGUF")
    os.utime(source, (0, 0))
    _, path = keep_weights(source, home.place.data_dir, link=True)
    assert await sweep_orphans(home) == 0
    assert (home.place.data_dir / path).exists()


async def test_the_story_ends_when_told_to(home):
    """Without waiting for its next look."""
    stop = asyncio.Event()
    task = asyncio.create_task(expire_files(home, stop))
    stop.set()
    await task
