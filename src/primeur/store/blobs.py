"""Bytes on disk, named by their digest: written beside, made durable, renamed into place."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from primeur.core.errors import NotReady, TooLarge

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-f]{62}")
# What the house itself needs to go on: database, journal and logs.
_FREE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes that are durable and have no name yet."""

    path: Path
    digest: str
    size_bytes: int
    md5: str


class Draft:
    """Bytes on their way in; `seal` makes them durable, `discard` forgets them."""

    def __init__(self, folder: Path, limit_bytes: int, what: str) -> None:
        """Start an empty draft; *what* is named when it grows beyond *limit_bytes*."""
        folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self._file: BinaryIO = os.fdopen(number, "wb")
        self._limit_bytes = limit_bytes
        self._what = what
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        """Add *data*.

        Raises:
            TooLarge: the draft would exceed its limit.
            NotReady: the disk is full.
        """
        self.size_bytes += len(data)
        if self.size_bytes > self._limit_bytes:
            raise TooLarge(f"{self._what} is larger than {self._limit_bytes} bytes, which is the most that is kept")
        if shutil.disk_usage(self.path.parent).free < len(data) + _FREE_BYTES:
            raise NotReady(f"there is no room on disk for {self._what}; an operator must make some")
        self._sha256.update(data)
        self._md5.update(data)
        self._file.write(data)

    def seal(self) -> Sealed:
        """Make what was written durable and close it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Sealed(self.path, f"sha256:{self._sha256.hexdigest()}", self.size_bytes, self._md5.hexdigest())

    def discard(self) -> None:
        """Forget the draft, if it was not kept."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class Blobs:
    """The folder ``store``: ``sha256/ab/cdef...`` and the drafts beside it."""

    def __init__(self, folder: Path) -> None:
        """Use *folder*; it is made when the first draft is."""
        self._folder = folder

    def draft(self, limit_bytes: int, what: str) -> Draft:
        """Start a draft of at most *limit_bytes*."""
        return Draft(self._folder / "drafts", limit_bytes, what)

    def keep(self, sealed: Sealed) -> None:
        """Give durable bytes their name; the same bytes twice are one blob."""
        place = self.path(sealed.digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        sealed.path.replace(place)
        for folder in (place.parent, place.parent.parent):
            _sync(folder)

    def path(self, digest: str) -> Path:
        """Where the bytes with *digest* are."""
        assert _DIGEST.fullmatch(digest), digest  # noqa: S101
        name = digest.removeprefix("sha256:")
        return self._folder / "sha256" / name[:2] / name[2:]

    def remove(self, digest: str) -> None:
        """Forget the bytes with *digest*, if they are there."""
        self.path(digest).unlink(missing_ok=True)

    def old_digests(self, before_ms: int) -> Iterator[str]:
        """Digests of blobs last kept before a moment, UTC milliseconds."""
        for path in self._folder.glob("sha256/??/*"):
            # Weights lie beside them under names of another form, and are nobody's orphans.
            if _NAME.fullmatch(path.name) and path.stat().st_mtime * 1000 < before_ms:
                yield f"sha256:{path.parent.name}{path.name}"

    def remove_old_drafts(self, before_ms: int) -> int:
        """Forget drafts that nobody has written to since a moment; a crash leaves them behind."""
        old = [path for path in self._folder.glob("drafts/*") if path.stat().st_mtime * 1000 < before_ms]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
