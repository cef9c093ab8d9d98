"""Take a large file in parts and put it together."""

import asyncio
from collections.abc import Sequence

from primeur.archive.file_rows import KeptFile, find_file, kept_bytes, lock_digest
from primeur.archive.rules import (
    PENDING,
    UPLOAD,
    UPLOAD_BYTES,
    UPLOAD_MS,
    Label,
    check_assembly,
    check_filename,
    check_purpose,
    check_room,
)
from primeur.archive.upload_rows import (
    Part,
    Upload,
    delete_parts,
    find_parts,
    find_upload,
    insert_part,
    insert_upload,
    move_upload,
)
from primeur.archive.wire import CreateUpload
from primeur.core.caller import Caller
from primeur.core.errors import Conflict, NotFound, TooLarge
from primeur.core.events import UploadMoved
from primeur.core.ids import make_id
from primeur.store.blobs import Blobs, Draft, Sealed
from primeur.store.database import Tx, tell
from primeur.walks.house import House
from primeur.walks.keep_file import drop_blobs, new_file, write_file

_PIECE_BYTES = 1 << 20


async def open_upload(house: House, caller: Caller, asked: CreateUpload) -> Upload:
    """Begin an upload; it takes parts for an hour.

    Raises:
        BadRequest: filename or purpose cannot be.
        TooLarge: larger than 8 GiB, or than the project may keep.
    """
    if asked.bytes > UPLOAD_BYTES:
        raise TooLarge(f"an upload has at most {UPLOAD_BYTES} bytes", param="bytes")
    now_ms = house.clock.now_ms()
    upload = Upload(
        id=make_id("upload", now_ms, house.entropy),
        project_id=caller.project_id,
        state=PENDING,
        filename=check_filename(asked.filename),
        purpose=check_purpose(asked.purpose),
        mime_type=asked.mime_type,
        size_bytes=asked.bytes,
        file_seconds=asked.expires_after.seconds if asked.expires_after else None,
        file_id=None,
        expires_ms=now_ms + UPLOAD_MS,
        created_ms=now_ms,
    )

    def write(tx: Tx) -> None:
        check_room(kept_bytes(tx, caller.project_id), upload.size_bytes)
        insert_upload(tx, upload)
        tell(tx, UploadMoved(upload_id=upload.id, state=PENDING), actor=caller.key_id, at_ms=now_ms)

    await house.store.transact(write)
    return upload


async def look_up_upload(house: House, caller: Caller, upload_id: str) -> tuple[Upload, KeptFile | None]:
    """Give an upload and the file it became, if that is still there.

    Raises:
        NotFound: no such upload in this project.
    """

    def read(tx: Tx) -> tuple[Upload, KeptFile | None]:
        upload = find_upload(tx, caller.project_id, upload_id)
        try:
            file = find_file(tx, caller.project_id, upload.file_id or "", house.clock.now_ms())
        except NotFound:
            file = None
        return upload, file

    return await house.store.read(read)


async def add_part(house: House, caller: Caller, upload_id: str, sealed: Sealed) -> Part:
    """Keep one part; parts may come in any order and side by side.

    Raises:
        Conflict: the upload takes no parts any more.
        TooLarge: the parts are more than the upload announced.
    """
    now_ms = house.clock.now_ms()
    part_id = make_id("part", now_ms, house.entropy)
    part = Part(part_id, upload_id, sealed.size_bytes, sealed.digest, now_ms)

    def write(tx: Tx) -> None:
        _check_pending(find_upload(tx, caller.project_id, upload_id), now_ms)
        lock_digest(tx, part.digest)
        insert_part(tx, part)
        house.blobs.keep(sealed)

    await house.store.transact(write)
    return part


async def complete_upload(
    house: House, caller: Caller, upload_id: str, part_ids: Sequence[str], md5: str | None
) -> tuple[Upload, KeptFile]:
    """Put parts together in the order given and keep the whole as a file.

    Raises:
        BadRequest: a part is unknown, or bytes or md5 differ from what was announced.
        Conflict: the upload is completed, cancelled or expired.
    """

    def read(tx: Tx) -> tuple[Upload, list[Part]]:
        found = find_upload(tx, caller.project_id, upload_id)
        _check_pending(found, house.clock.now_ms())
        return found, find_parts(tx, upload_id, part_ids)

    upload, parts = await house.store.read(read)
    sizes = [part.size_bytes for part in parts]
    check_assembly(upload.size_bytes, sizes, None, "")
    draft = house.blobs.draft(UPLOAD_BYTES, f"upload {upload_id}")
    try:
        sealed = await asyncio.to_thread(_join, house.blobs, draft, [part.digest for part in parts])
        check_assembly(upload.size_bytes, sizes, md5, sealed.md5)
        label = Label(upload.filename, upload.purpose, upload.file_seconds)
        file = new_file(house, caller.project_id, sealed, label)

        def write(tx: Tx) -> list[str]:
            state = move_upload(tx, upload, "complete", file.id)
            write_file(tx, house, file, sealed, actor=caller.key_id)
            tell(tx, UploadMoved(upload_id=upload.id, state=state), actor=caller.key_id, at_ms=file.created_ms)
            return delete_parts(tx, upload.id)

        await drop_blobs(house, await house.store.transact(write))
    finally:
        draft.discard()
    return (await look_up_upload(house, caller, upload_id))[0], file


async def cancel_upload(house: House, caller: Caller, upload_id: str) -> Upload:
    """Give an upload up and forget its parts.

    Raises:
        Conflict: it is completed, cancelled or expired already.
    """
    upload = await house.store.read(lambda tx: find_upload(tx, caller.project_id, upload_id))
    await end_upload(house, upload, "cancel", actor=caller.key_id)
    return (await look_up_upload(house, caller, upload_id))[0]


async def end_upload(house: House, upload: Upload, move: str, *, actor: str) -> None:
    """Let an upload end without a file: by ``cancel`` or ``expire``.

    Raises:
        Conflict: it has ended already.
    """

    def write(tx: Tx) -> list[str]:
        state = move_upload(tx, upload, move)
        what = UploadMoved(upload_id=upload.id, state=state)
        tell(tx, what, actor=actor, at_ms=house.clock.now_ms())
        return delete_parts(tx, upload.id)

    await drop_blobs(house, await house.store.transact(write))


def _check_pending(upload: Upload, now_ms: int) -> None:
    UPLOAD.after(upload.state, "complete")
    if now_ms >= upload.expires_ms:
        raise Conflict(f"upload {upload.id!r} took parts for an hour and has expired; create a new one")


def _join(blobs: Blobs, draft: Draft, digests: Sequence[str]) -> Sealed:
    try:
        for digest in digests:
            with blobs.path(digest).open("rb") as part:
                while piece := part.read(_PIECE_BYTES):
                    draft.write(piece)
    except FileNotFoundError:
        raise Conflict("a part of the upload went away; was it cancelled meanwhile? create a new one") from None
    return draft.seal()
