"""Multipart forms on their way to disk."""

import hashlib

import pytest

from primeur.core.errors import BadRequest, NotReady, TooLarge
from primeur.gateway.forms import read_form
from primeur.store.blobs import Blobs

TYPE = b"multipart/form-data; boundary=xyz"


def part(name, data, filename=None):
    extra = f'; filename="{filename}"' if filename is not None else ""
    return f'--xyz\r\ncontent-disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + data + b"\r\n"


END = b"--xyz--\r\n"


async def form_of(body, tmp_path, *, step=1 << 20, limit=1 << 20, kind=TYPE):
    async def pieces():
        for start in range(0, len(body), step):
            yield body[start : start + step]

    draft = Blobs(tmp_path).draft(limit, "the file")
    try:
        return await read_form(kind, pieces(), "file", draft)
    finally:
        draft.discard()


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
async def test_a_form_is_read_however_it_is_cut(tmp_path, step):
    """Byte by byte or all at once; boundaries may fall anywhere, and look-alikes are data."""
    data = b"line\r\n--xy not the end\r\n" * 50
    body = part("purpose", b"batch") + part("file", data, "a.jsonl") + part("note", "é".encode()) + END
    form = await form_of(body, tmp_path, step=step)
    assert form.fields == {"purpose": "batch", "note": "é"}
    assert form.filename == "a.jsonl"
    assert form.sealed.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert form.sealed.size_bytes == len(data)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (part("purpose", b"batch") + END, "no 'file'"),
        (part("file", b"x", "a") + part("file", b"y", "b") + END, "'file' twice"),
        (part("a", b"x") + part("a", b"y") + END, "'a' twice"),
        (part("file", b"x", "a") + part("a", b"y" * 5000) + END, "longer than 4096"),
        (b"".join(part(f"f{n}", b"x") for n in range(17)) + END, "more than 16 fields"),
        (part("file", b"x", "a"), "broke off"),
        (b"nonsense", "cannot be read"),
        (b"", "broke off"),
    ],
)
async def test_a_form_that_cannot_be_is_refused(tmp_path, body, reason):
    """And leaves nothing on disk."""
    with pytest.raises(BadRequest, match=reason):
        await form_of(body, tmp_path)
    assert not list((tmp_path / "drafts").iterdir())


async def test_another_type_of_body_is_refused(tmp_path):
    """JSON is no form, and a form needs its boundary."""
    for kind in (b"application/json", b"multipart/form-data", b""):
        with pytest.raises(BadRequest, match="multipart/form-data with a boundary"):
            await form_of(b"{}", tmp_path, kind=kind)


async def test_a_file_beyond_its_limit_is_refused(tmp_path):
    """While it is read, not after."""
    with pytest.raises(TooLarge, match="the file is larger than 10 bytes"):
        await form_of(part("file", b"x" * 11, "a") + END, tmp_path, limit=10)


def test_the_same_bytes_are_one_blob(tmp_path):
    """Their name is their digest."""
    blobs = Blobs(tmp_path)
    for _ in range(2):
        draft = blobs.draft(100, "it")
        draft.write(b"abc")
        sealed = draft.seal()
        blobs.keep(sealed)
        draft.discard()
    name = hashlib.sha256(b"abc").hexdigest()
    assert blobs.path(sealed.digest) == tmp_path / "sha256" / name[:2] / name[2:]
    assert blobs.path(sealed.digest).read_bytes() == b"abc"
    assert list(blobs.old_digests(1 << 62)) == [sealed.digest]
    blobs.remove(sealed.digest)
    blobs.remove(sealed.digest)
    assert list(blobs.old_digests(1 << 62)) == []


def test_a_draft_that_fills_the_disk_is_refused(tmp_path):
    """Before the disk is full: the house itself needs some of it."""
    draft = Blobs(tmp_path).draft(1 << 62, "it")

    class Endless(bytes):
        def __len__(self):
            return 1 << 60

    with pytest.raises(NotReady, match="no room on disk"):
        draft.write(Endless())
    draft.discard()
