"""Files side by side as a tar archive, made piece by piece.

Source: POSIX.1-2001, pax interchange format.
"""

import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_PIECE = 1 << 20


def file_pieces(path: Path) -> Iterator[bytes]:
    """Give a file piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def tar_pieces(folder: Path, names: Iterable[str]) -> Iterator[bytes]:
    """Give a tar archive of files side by side, piece by piece; the same files always give the same bytes."""
    for name in names:
        entry = _entry(folder, name)
        yield entry.tobuf(tarfile.PAX_FORMAT)
        yield from file_pieces(folder / name)
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
