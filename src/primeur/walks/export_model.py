"""Give a version's weights back: a file as it is, a folder as a tar archive."""

import asyncio
import tarfile
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from primeur.core.errors import NotFound
from primeur.registry import rows
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.keep_folder import KIND

_PIECE = 1 << 20


async def export_model(house: House, name: str, number: int | None) -> tuple[str, AsyncIterator[bytes]]:
    """Give a file name and the bytes of a version's weights, the newest when *number* is None.

    Raises:
        NotFound: there is no such model, version, or its weights are not here.
    """

    def read(tx: Tx) -> rows.Version:
        return rows.find_version(tx, rows.find_model(tx, name), number)

    version = await house.store.read(read)
    path = None if version.path is None else house.place.data_dir / version.path
    if path is None or not path.exists():
        raise NotFound(f"the weights of {name!r} version {version.number} are not here")
    stem = f"{name.replace('/', '_').replace(':', '_')}-{version.number}"
    if version.format == KIND:
        return f"{stem}.tar", _walk(tar_pieces(path, sorted(file.name for file in path.iterdir())))
    return f"{stem}.gguf", _walk(_file(path))


async def _walk(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece


def _file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def tar_pieces(folder: Path, names: Iterable[str]) -> Iterator[bytes]:
    """Give a tar archive of files side by side, piece by piece; the same files always give the same bytes."""
    for name in names:
        entry = _entry(folder, name)
        yield entry.tobuf(tarfile.PAX_FORMAT)
        yield from _file(folder / name)
        if rest := entry.size % tarfile.BLOCKSIZE:
            yield bytes(tarfile.BLOCKSIZE - rest)
    yield bytes(2 * tarfile.BLOCKSIZE)


def tar_size(folder: Path, names: Iterable[str]) -> int:
    """Bytes that `tar_pieces` gives."""
    entries = [_entry(folder, name) for name in names]
    blocks = sum(-(-entry.size // tarfile.BLOCKSIZE) for entry in entries)
    return sum(len(entry.tobuf(tarfile.PAX_FORMAT)) for entry in entries) + (blocks + 2) * tarfile.BLOCKSIZE


def _entry(folder: Path, name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = (folder / name).stat().st_size, 0o444
    return entry
