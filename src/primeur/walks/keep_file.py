"""Keep a file, read it back, delete it: bytes become durable before their row, rows go before their bytes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from primeur.archive.file_rows import (
    KeptFile,
    delete_file,
    find_file,
    insert_file,
    is_needed,
    kept_bytes,
    lock_digest,
)
from primeur.archive.rules import Label, check_room, expiry_of
from primeur.core.caller import Caller
from primeur.core.errors import NotFound
from primeur.core.events import FileDeleted, FileKept
from primeur.core.ids import make_id
from primeur.store.blobs import Sealed
from primeur.store.database import Tx, tell
from primeur.walks.house import House

_PIECE_BYTES = 256 << 10


async def keep_file(house: House, caller: Caller, sealed: Sealed, label: Label) -> KeptFile:
    """Give durable bytes a name and a row, both or neither.

    Raises:
        TooLarge: the project keeps as much as it may.
    """
    file = new_file(house, caller.project_id, sealed, label)

    def write(tx: Tx) -> None:
        check_room(kept_bytes(tx, caller.project_id), sealed.size_bytes)
        write_file(tx, house, file, sealed, actor=caller.key_id)

    await house.store.transact(write)
    return file


def new_file(house: House, project_id: str, sealed: Sealed, label: Label) -> KeptFile:
    """Give the row of a file that is to be kept now."""
    now_ms = house.clock.now_ms()
    return KeptFile(
        id=make_id("file", now_ms, house.entropy),
        project_id=project_id,
        filename=label.filename,
        purpose=label.purpose,
        size_bytes=sealed.size_bytes,
        digest=sealed.digest,
        expires_ms=expiry_of(label.purpose, label.expires_after_s, now_ms),
        created_ms=now_ms,
    )


def write_file(tx: Tx, house: House, file: KeptFile, sealed: Sealed, *, actor: str) -> None:
    """Give *sealed* its name and *file* its row, within a transaction."""
    lock_digest(tx, file.digest)
    house.blobs.keep(sealed)
    insert_file(tx, file)
    what = FileKept(file_id=file.id, purpose=file.purpose, size_bytes=file.size_bytes)
    tell(tx, what, actor=actor, at_ms=file.created_ms)


async def forget_file(house: House, caller: Caller, file_id: str) -> None:
    """Delete a project's file, and its bytes when nothing else has them.

    Raises:
        NotFound: no such file in this project.
    """
    now_ms = house.clock.now_ms()

    def write(tx: Tx) -> str:
        file = find_file(tx, caller.project_id, file_id, now_ms)
        delete_file(tx, file.id)
        tell(tx, FileDeleted(file_id=file.id), actor=caller.key_id, at_ms=now_ms)
        return file.digest

    await drop_blobs(house, [await house.store.transact(write)])


async def drop_blobs(house: House, digests: Iterable[str]) -> int:
    """Remove blobs that nothing needs any more, and tell how many were removed.

    A crash before this leaves bytes without a row, which `primeur.walks.expire_files` finds.
    """
    dropped = 0
    for digest in dict.fromkeys(digests):
        dropped += await house.store.transact(partial(_drop_blob, house=house, digest=digest))
    return dropped


def _drop_blob(tx: Tx, house: House, digest: str) -> bool:
    lock_digest(tx, digest)
    if is_needed(tx, digest):
        return False
    house.blobs.remove(digest)
    return True


async def read_blob(house: House, digest: str) -> AsyncIterator[bytes]:
    """Open a blob and give its pieces; who reads slowly keeps nobody waiting.

    Raises:
        NotFound: its bytes are gone, which only a lost or damaged data folder explains.
    """
    file = await asyncio.to_thread(_open, house.blobs.path(digest))
    return _pieces(file)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
    finally:
        file.close()


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound("the file's bytes are missing from the data folder; restore a backup") from None
