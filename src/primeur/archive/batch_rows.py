"""Batches, who runs them at the moment, and their lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, func, insert, or_, select, update

from primeur.archive.rules import BATCH, CANCELLING, FINALIZING, IN_PROGRESS, VALIDATING, Page
from primeur.archive.wire import BatchError, Json
from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import batch_lines, batches

_UNFINISHED = (VALIDATING, IN_PROGRESS, FINALIZING, CANCELLING)


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a batch and never searched for.

    Attributes:
        model: what all its lines name; None when they differ or are not read yet.
        output_seconds: how long its files are to live; None leaves it to the house.
    """

    metadata: dict[str, str] | None = None
    model: str | None = None
    errors: list[BatchError] = msgspec.field(default_factory=list)
    output_seconds: int | None = None
    usage: Json | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's row.

    Attributes:
        state: a state of `primeur.archive.rules.BATCH`.
        times: JSON: state to the moment it was reached, UTC milliseconds.
        details: JSON of `Details`.
        runner: the process that works on it; its claim ends at *runner_until_ms*.
    """

    id: str
    project_id: str
    key_id: str
    state: str
    endpoint: str
    input_file_id: str
    output_file_id: str | None
    error_file_id: str | None
    total: int
    completed: int
    failed: int
    times: str
    details: str
    expires_ms: int
    runner: str | None
    runner_until_ms: int | None
    created_ms: int

    @property
    def reached_ms(self) -> dict[str, int]:
        """When each state was reached, UTC milliseconds."""
        return msgspec.json.decode(self.times, type=dict[str, int])

    @property
    def about(self) -> Details:
        """See `Details`."""
        return msgspec.json.decode(self.details, type=Details)


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of a batch; *status* is 0 until it has an answer."""

    line: int
    custom_id: str
    request_id: str
    status: int = 0
    answer: str = ""


_ALL = tuple(batches.c[name] for name in Batch.__slots__)


def insert_batch(tx: Tx, batch: Batch) -> None:
    """Remember *batch*."""
    tx.execute(insert(batches).values({name: getattr(batch, name) for name in Batch.__slots__}))


def find_batch(tx: Tx, project_id: str, batch_id: str) -> Batch:
    """Give a project's batch.

    Raises:
        NotFound: no such batch in this project.
    """
    row = tx.execute(select(*_ALL).where(batches.c.id == batch_id, batches.c.project_id == project_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no batch {batch_id!r} in this project; GET /v1/batches lists them", param="batch_id")
    return Batch(*row)


def list_batches(tx: Tx, project_id: str, page: Page) -> list[Batch]:
    """Give one page of a project's batches, and one batch more when there are more."""
    asked = select(*_ALL).where(batches.c.project_id == project_id)
    if page.after is not None:
        asked = asked.where(batches.c.id < page.after if page.newest_first else batches.c.id > page.after)
    order = batches.c.id.desc() if page.newest_first else batches.c.id.asc()
    return [Batch(*row) for row in tx.execute(asked.order_by(order).limit(page.limit + 1))]


def count_unfinished(tx: Tx, project_id: str) -> int:
    """How many of a project's batches are not at an end."""
    asked = select(func.count()).select_from(batches)
    where = (batches.c.project_id == project_id, batches.c.state.in_(_UNFINISHED))
    return int(tx.execute(asked.where(*where)).scalar_one())


def move_batch(tx: Tx, batch: Batch, move: str, now_ms: int, **changes: object) -> Batch:
    """Move a batch by compare-and-set.

    Args:
        changes: columns to set with the move.

    Raises:
        Conflict: it cannot move so from its state, or somebody else moved it.
    """
    state = BATCH.after(batch.state, move)
    times = msgspec.json.encode({**batch.reached_ms, state: now_ms}).decode()
    moved = tx.execute(
        update(batches)
        .where(batches.c.id == batch.id, batches.c.state == batch.state)
        .values(state=state, times=times, **changes)
    )
    if moved.rowcount != 1:
        raise Conflict(f"batch {batch.id!r} was moved by somebody else; look at it again")
    return find_batch(tx, batch.project_id, batch.id)


# --- who runs it --------------------------------------------------------------------------------------------------


def due_batches(tx: Tx, now_ms: int, limit: int) -> list[Batch]:
    """Give batches that nobody works on, oldest first."""
    free = or_(batches.c.runner.is_(None), batches.c.runner_until_ms <= now_ms)
    asked = select(*_ALL).where(batches.c.state.in_(_UNFINISHED), free).order_by(batches.c.id)
    return [Batch(*row) for row in tx.execute(asked.limit(limit))]


def claim_batch(tx: Tx, batch: Batch, runner: str, until_ms: int) -> bool:
    """Take a batch, unless another process was quicker."""
    same = batches.c.runner.is_(None) if batch.runner is None else batches.c.runner == batch.runner
    claimed = tx.execute(
        update(batches)
        .where(batches.c.id == batch.id, same, batches.c.runner_until_ms.is_not_distinct_from(batch.runner_until_ms))
        .values(runner=runner, runner_until_ms=until_ms)
    )
    return claimed.rowcount == 1


def renew_claims(tx: Tx, runner: str, batch_ids: Sequence[str], until_ms: int) -> dict[str, str]:
    """Keep batches claimed and give their states; one that was lost to another process is missing."""
    mine = (batches.c.id.in_(batch_ids), batches.c.runner == runner)
    tx.execute(update(batches).where(*mine).values(runner_until_ms=until_ms))
    return {row.id: row.state for row in tx.execute(select(batches.c.id, batches.c.state).where(*mine))}


def release_batch(tx: Tx, runner: str, batch_id: str) -> None:
    """Let another process take a batch at once."""
    mine = (batches.c.id == batch_id, batches.c.runner == runner)
    tx.execute(update(batches).where(*mine).values(runner=None, runner_until_ms=None))


# --- lines --------------------------------------------------------------------------------------------------------


def add_lines(tx: Tx, batch_id: str, lines: Sequence[LineRow]) -> None:
    """Remember lines before they are run, each with the id its request will have."""
    rows = [{"batch_id": batch_id, **{name: getattr(line, name) for name in LineRow.__slots__}} for line in lines]
    if rows:
        tx.execute(insert(batch_lines), rows)


def delete_lines(tx: Tx, batch_id: str) -> None:
    """Forget a batch's lines."""
    tx.execute(delete(batch_lines).where(batch_lines.c.batch_id == batch_id))


def open_lines(tx: Tx, batch_id: str) -> dict[int, str]:
    """Give the numbers of lines without an answer, and the id each request will have."""
    asked = select(batch_lines.c.line, batch_lines.c.request_id)
    rows = tx.execute(asked.where(batch_lines.c.batch_id == batch_id, batch_lines.c.status == 0))
    return {row.line: row.request_id for row in rows}


def answer_line(tx: Tx, batch_id: str, line: int, status: int, answer: str) -> None:
    """Remember a line's answer and count it; the first answer stands."""
    this = (batch_lines.c.batch_id == batch_id, batch_lines.c.line == line, batch_lines.c.status == 0)
    if tx.execute(update(batch_lines).where(*this).values(status=status, answer=answer)).rowcount == 1:
        count = batches.c.completed if status == 200 else batches.c.failed
        tx.execute(update(batches).where(batches.c.id == batch_id).values({count: count + 1}))


def rename_lines(tx: Tx, batch_id: str, request_ids: dict[int, str]) -> None:
    """Give lines that are to be run once more new request ids, so that their usage counts once more."""
    for line, request_id in request_ids.items():
        this = (batch_lines.c.batch_id == batch_id, batch_lines.c.line == line, batch_lines.c.status == 0)
        tx.execute(update(batch_lines).where(*this).values(request_id=request_id))


def read_lines(tx: Tx, batch_id: str, after: int, limit: int) -> list[LineRow]:
    """Give lines in order, beginning after the line *after*."""
    asked = select(*(batch_lines.c[name] for name in LineRow.__slots__))
    of_this = (batch_lines.c.batch_id == batch_id, batch_lines.c.line > after)
    return [LineRow(*row) for row in tx.execute(asked.where(*of_this).order_by(batch_lines.c.line).limit(limit))]
