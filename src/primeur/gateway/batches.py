"""``/v1/batches``: many requests from a file, answered within a day."""

from typing import Any

import msgspec

from primeur.archive.batch_lines import ENDPOINTS, INPUT_BYTES
from primeur.archive.batch_rows import (
    Batch,
    Details,
    count_unfinished,
    find_batch,
    insert_batch,
    list_batches,
    move_batch,
)
from primeur.archive.file_rows import find_file
from primeur.archive.rules import DAY_MS, VALIDATING, read_page
from primeur.archive.wire import BatchCounts, BatchErrors, BatchObject, CreateBatch, Listing, ListQuery
from primeur.core.errors import BadRequest, OverLimit, UnsupportedParameter
from primeur.core.events import BatchMoved
from primeur.core.ids import make_id
from primeur.core.reading import is_id
from primeur.gateway.doors import Door
from primeur.gateway.paging import id_in_path, list_page
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.store.database import Tx, tell

_UNFINISHED = 64
_RETRY_MS = 60_000


def show_batch(batch: Batch) -> BatchObject:
    """Write a batch as OpenAI's API shows it."""
    about = batch.about
    reached: dict[str, Any] = {f"{s}_at": ms // 1000 for s, ms in batch.reached_ms.items() if s != VALIDATING}
    return BatchObject(
        id=batch.id,
        endpoint=batch.endpoint,
        model=about.model,
        errors=BatchErrors(about.errors) if about.errors else None,
        input_file_id=batch.input_file_id,
        status=batch.state,
        output_file_id=batch.output_file_id,
        error_file_id=batch.error_file_id,
        created_at=batch.created_ms // 1000,
        expires_at=batch.expires_ms // 1000,
        request_counts=BatchCounts(batch.total, batch.completed, batch.failed),
        usage=about.usage,
        metadata=about.metadata,
        **reached,
    )


async def create_batch(visit: Visit) -> Answer:
    """Queue a batch; its file is read in the background."""
    asked = visit.read(CreateBatch)
    if asked.endpoint not in ENDPOINTS:
        raise UnsupportedParameter(
            f"endpoint {asked.endpoint!r} does not run in batches; use one of {', '.join(ENDPOINTS)}", param="endpoint"
        )
    if not is_id(asked.input_file_id):
        raise BadRequest("input_file_id is not the id of a file", param="input_file_id")
    now_ms = visit.house.clock.now_ms()
    details = Details(
        metadata=asked.metadata,
        output_seconds=asked.output_expires_after.seconds if asked.output_expires_after else None,
    )
    batch = Batch(
        id=make_id("batch", now_ms, visit.house.entropy),
        project_id=visit.caller.project_id,
        key_id=visit.caller.key_id,
        state=VALIDATING,
        endpoint=asked.endpoint,
        input_file_id=asked.input_file_id,
        output_file_id=None,
        error_file_id=None,
        total=0,
        completed=0,
        failed=0,
        times=msgspec.json.encode({VALIDATING: now_ms}).decode(),
        details=msgspec.json.encode(details).decode(),
        expires_ms=now_ms + DAY_MS,
        runner=None,
        runner_until_ms=None,
        created_ms=now_ms,
    )

    def write(tx: Tx) -> None:
        _check_input(tx, batch)
        insert_batch(tx, batch)
        tell(tx, BatchMoved(batch_id=batch.id, state=batch.state), actor=batch.key_id, at_ms=now_ms)

    await visit.house.store.transact(write)
    return json_answer(show_batch(batch))


def _check_input(tx: Tx, batch: Batch) -> None:
    file = find_file(tx, batch.project_id, batch.input_file_id, batch.created_ms)
    if file.purpose != "batch":
        raise BadRequest(
            f"file {file.id!r} was kept for {file.purpose!r}; keep it with purpose batch", param="input_file_id"
        )
    if file.size_bytes > INPUT_BYTES:
        raise BadRequest(f"a batch's file has at most {INPUT_BYTES} bytes; make several", param="input_file_id")
    if count_unfinished(tx, batch.project_id) >= _UNFINISHED:
        raise OverLimit(
            f"the project has {_UNFINISHED} unfinished batches, the most there may be", retry_after_ms=_RETRY_MS
        )


async def list_project_batches(visit: Visit) -> Answer:
    """List a project's batches, the newest first."""
    page = read_page(visit.query, default=20, most=100)
    found = await visit.house.store.read(lambda tx: list_batches(tx, visit.caller.project_id, page))
    return json_answer(list_page(found, page, show_batch, lambda batch: batch.id))


async def get_batch(visit: Visit) -> Answer:
    """Show a batch."""
    return json_answer(show_batch(await visit.house.store.read(lambda tx: _find(visit, tx))))


async def cancel_batch(visit: Visit) -> Answer:
    """Let no more lines begin; what is finished is kept."""

    def write(tx: Tx) -> Batch:
        now_ms = visit.house.clock.now_ms()
        moved = move_batch(tx, _find(visit, tx), "cancel", now_ms)
        tell(tx, BatchMoved(batch_id=moved.id, state=moved.state), actor=visit.caller.key_id, at_ms=now_ms)
        return moved

    return json_answer(show_batch(await visit.house.store.transact(write)))


def _find(visit: Visit, tx: Tx) -> Batch:
    return find_batch(tx, visit.caller.project_id, id_in_path(visit, "batch_id"))


DOORS = (
    Door(
        "POST",
        "/v1/batches",
        create_batch,
        "Run the requests of a file within 24 hours",
        "batches",
        tells="BatchMoved",
        takes=CreateBatch,
        gives=BatchObject,
    ),
    Door("GET", "/v1/batches", list_project_batches, "List batches", "batches", takes=ListQuery, gives=Listing),
    Door("GET", "/v1/batches/{batch_id}", get_batch, "Show a batch", "batches", gives=BatchObject),
    Door(
        "POST",
        "/v1/batches/{batch_id}/cancel",
        cancel_batch,
        "Cancel a batch",
        "batches",
        tells="BatchMoved",
        gives=BatchObject,
    ),
)
