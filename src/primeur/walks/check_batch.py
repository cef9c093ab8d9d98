"""Read a batch's input file: every line is understood before the first one is run."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

import msgspec

from primeur.archive.batch_lines import FAULTS, LINE_BYTES, LINES, Line, fault_of, read_line
from primeur.archive.batch_rows import Batch, LineRow, add_lines, delete_lines, move_batch
from primeur.archive.file_rows import find_file
from primeur.archive.wire import BatchError
from primeur.core.errors import BadRequest, NotFound
from primeur.core.events import BatchMoved
from primeur.core.ids import make_id
from primeur.store.database import Tx, tell
from primeur.walks.house import House

_ACTOR = "house"
_LINES_AT_ONCE = 500


@dataclass(slots=True)
class _Seen:
    """What the file has shown so far."""

    count: int = 0
    models: set[str] = field(default_factory=set)
    custom_ids: set[str] = field(default_factory=set)
    faults: list[BatchError] = field(default_factory=list)


async def check_batch(house: House, batch: Batch) -> Batch:
    """Let the batch begin, or fail it with the faults of its lines, each with its number.

    A crash in the middle begins again from the first line.

    Raises:
        Conflict: it was cancelled meanwhile.
    """
    await house.store.transact(lambda tx: delete_lines(tx, batch.id))
    seen = _Seen()
    try:
        async with aclosing(input_lines(house, batch)) as some:
            async for texts in some:
                read = (_read(seen, number, text, batch.endpoint) for number, text in texts)
                rows = [LineRow(line.number, line.custom_id, _request_id(house)) for line in read if line is not None]
                await house.store.transact(partial(add_lines, batch_id=batch.id, lines=rows))
                if len(seen.faults) >= FAULTS or seen.count > LINES:
                    break
    except NotFound as error:
        seen.faults.append(BatchError("invalid_input_file", error.message, "input_file_id"))
    if seen.count > LINES:
        seen.faults.append(BatchError("too_many_lines", f"the file has more than {LINES} lines; make several batches"))
    if seen.count == 0 and not seen.faults:
        seen.faults.append(BatchError("empty_file", "the input file has no lines"))
    return await house.store.transact(lambda tx: _decide(tx, house, batch, seen))


def _decide(tx: Tx, house: House, batch: Batch, seen: _Seen) -> Batch:
    move = "fail" if seen.faults else "begin"
    model = next(iter(seen.models)) if len(seen.models) == 1 else None
    details = msgspec.structs.replace(batch.about, errors=seen.faults[:FAULTS], model=model)
    if seen.faults:
        delete_lines(tx, batch.id)
    now_ms = house.clock.now_ms()
    changes = {"details": msgspec.json.encode(details).decode(), "total": 0 if seen.faults else seen.count}
    moved = move_batch(tx, batch, move, now_ms, **changes)
    tell(tx, BatchMoved(batch_id=batch.id, state=moved.state), actor=_ACTOR, at_ms=now_ms)
    return moved


def _read(seen: _Seen, number: int, text: bytes, endpoint: str) -> Line | None:
    seen.count += 1
    try:
        line = read_line(number, text, endpoint)
        _check_unique(seen, line.custom_id)
    except BadRequest as error:
        seen.faults.append(fault_of(number, error))
        return None
    seen.custom_ids.add(line.custom_id)
    seen.models.add(line.model)
    return line


def _check_unique(seen: _Seen, custom_id: str) -> None:
    if custom_id in seen.custom_ids:
        raise BadRequest(f"custom_id {custom_id!r} is used twice", param="custom_id", code="duplicate_custom_id")


def _request_id(house: House) -> str:
    return make_id("request", house.clock.now_ms(), house.entropy)


async def input_lines(house: House, batch: Batch) -> AsyncGenerator[list[tuple[int, bytes]], None]:
    """Give the lines of a batch's input file with their numbers, some at a time; blank ones are left out.

    Raises:
        NotFound: the file is gone.
    """
    now_ms = house.clock.now_ms()
    file = await house.store.read(lambda tx: find_file(tx, batch.project_id, batch.input_file_id, now_ms))
    path = house.blobs.path(file.digest)
    if not path.is_file():
        raise NotFound("the input file's bytes are missing from the data folder; restore a backup")
    with path.open("rb") as opened:
        number = 0
        while texts := await asyncio.to_thread(_some_lines, opened):
            numbered = [(number + place, text) for place, text in enumerate(texts, 1)]
            number += len(texts)
            yield [(line, text) for line, text in numbered if text.strip()]


def _some_lines(opened: BinaryIO) -> list[bytes]:
    texts: list[bytes] = []
    size = 0
    while len(texts) < _LINES_AT_ONCE and size < LINE_BYTES and (text := opened.readline(LINE_BYTES + 2)):
        texts.append(text)
        size += len(text)
    return texts
