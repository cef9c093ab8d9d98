"""Write a batch's output and error files and let it end."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import msgspec

from primeur.archive.batch_lines import add_usage, show_usage, write_line
from primeur.archive.batch_rows import Batch, LineRow, delete_lines, move_batch, read_lines
from primeur.archive.file_rows import KeptFile
from primeur.archive.rules import BATCH, BATCH_OUTPUT, UPLOAD_BYTES, Label
from primeur.core.events import BatchMoved
from primeur.store.blobs import Draft, Sealed
from primeur.store.database import Tx, tell
from primeur.walks.house import House
from primeur.walks.keep_file import new_file, write_file

_ACTOR = "house"
_LINES_AT_ONCE = 200


@dataclass(slots=True)
class _Files:
    """The two files while they are being written."""

    output: Draft
    errors: Draft
    usage: dict[str, int] = field(default_factory=dict)

    def write(self, lines: Sequence[LineRow], end: str) -> None:
        """Add each line to the file it belongs to."""
        for line in lines:
            draft = self.output if line.status == 200 else self.errors
            draft.write(write_line(line.custom_id, line.request_id, line.status, line.answer, end))
            if line.status == 200:
                add_usage(self.usage, line.answer)

    def discard(self) -> None:
        """Forget what was not kept."""
        self.output.discard()
        self.errors.discard()


async def finish_batch(house: House, batch: Batch, move: str) -> Batch:
    """Write the files and move the batch, both or neither; a crash in between writes them again.

    Args:
        move: ``complete``, ``stop`` (after a cancellation) or ``expire``; lines that were not run are told as errors.

    Raises:
        Conflict: somebody else moved it.
    """
    end = BATCH.after(batch.state, move)
    files = _Files(house.blobs.draft(UPLOAD_BYTES, "a batch's output"), house.blobs.draft(UPLOAD_BYTES, "its errors"))
    try:
        after = 0
        while lines := await house.store.read(
            partial(read_lines, batch_id=batch.id, after=after, limit=_LINES_AT_ONCE)
        ):
            await asyncio.to_thread(files.write, lines, end)
            after = lines[-1].line
        sealed = [(name, await asyncio.to_thread(draft.seal)) for name, draft in _written(files)]
        return await house.store.transact(lambda tx: _end(tx, house, batch, move, files.usage, sealed))
    finally:
        files.discard()


def _written(files: _Files) -> list[tuple[str, Draft]]:
    named = (("output", files.output), ("error", files.errors))
    return [(name, draft) for name, draft in named if draft.size_bytes]


def _end(  # noqa: PLR0913, PLR0917 (what one transaction needs)
    tx: Tx, house: House, batch: Batch, move: str, usage: dict[str, int], sealed: list[tuple[str, Sealed]]
) -> Batch:
    now_ms = house.clock.now_ms()
    about = msgspec.structs.replace(batch.about, usage=show_usage(usage))
    changes: dict[str, object] = {"details": msgspec.json.encode(about).decode()}
    for name, blob in sealed:
        label = Label(f"{batch.id}_{name}.jsonl", BATCH_OUTPUT, about.output_seconds)
        file: KeptFile = new_file(house, batch.project_id, blob, label)
        write_file(tx, house, file, blob, actor=_ACTOR)
        changes[f"{name}_file_id"] = file.id
    moved = move_batch(tx, batch, move, now_ms, **changes)
    delete_lines(tx, batch.id)
    tell(tx, BatchMoved(batch_id=batch.id, state=moved.state), actor=_ACTOR, at_ms=now_ms)
    return moved
