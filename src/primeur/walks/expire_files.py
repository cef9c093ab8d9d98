"""Forget what has had its time: files, uploads that were never finished, and bytes that nothing names."""

import asyncio
from contextlib import suppress

from primeur.archive.file_rows import delete_file, expired_files
from primeur.archive.upload_rows import overdue_uploads
from primeur.core.errors import Conflict
from primeur.core.events import FileDeleted
from primeur.store.database import Tx, tell
from primeur.walks.assemble_upload import end_upload
from primeur.walks.house import House
from primeur.walks.keep_data import forget_kept
from primeur.walks.keep_file import drop_blobs
from primeur.walks.send_webhook import forget_webhooks

_PAUSE_S = 60.0
_AT_ONCE = 500
_ACTOR = "house"
# A draft or blob this old that nothing names was left by a crash; younger ones may be on their way.
_ORPHAN_MS = 3_600_000


async def expire_files(house: House, stop: asyncio.Event) -> None:
    """Sweep up after a crash, then look once a minute until *stop* is set."""
    await sweep_orphans(house)
    while not stop.is_set():
        await expire_once(house)
        await forget_webhooks(house)
        await forget_kept(house)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_S)


async def expire_once(house: House) -> int:
    """Forget what is due now, 500 of each at most, and tell how many things that were."""
    now_ms = house.clock.now_ms()

    def write(tx: Tx) -> list[str]:
        due = expired_files(tx, now_ms, _AT_ONCE)
        for file in due:
            delete_file(tx, file.id)
            tell(tx, FileDeleted(file_id=file.id), actor=_ACTOR, at_ms=now_ms)
        return [file.digest for file in due]

    digests = await house.store.transact(write)
    await drop_blobs(house, digests)
    overdue = await house.store.read(lambda tx: overdue_uploads(tx, now_ms, _AT_ONCE))
    for upload in overdue:
        # Its caller may complete it at this moment.
        with suppress(Conflict):
            await end_upload(house, upload, "expire", actor=_ACTOR)
    return len(digests) + len(overdue)


async def sweep_orphans(house: House) -> int:
    """Remove bytes that a crash left without a row; once at the start is enough."""
    before_ms = house.clock.now_ms() - _ORPHAN_MS
    drafts = await asyncio.to_thread(house.blobs.remove_old_drafts, before_ms)
    digests = await asyncio.to_thread(lambda: list(house.blobs.old_digests(before_ms)))
    return drafts + await drop_blobs(house, digests)
