"""Run batches in the background, a few lines at a time, through crashes and restarts."""

import asyncio
import logging
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial

from primeur.archive.batch_lines import read_line
from primeur.archive.batch_rows import (
    Batch,
    answer_line,
    claim_batch,
    due_batches,
    find_batch,
    move_batch,
    open_lines,
    release_batch,
    rename_lines,
    renew_claims,
)
from primeur.archive.rules import CANCELLING, FINALIZING, IN_PROGRESS, VALIDATING
from primeur.core.errors import Conflict, NotFound
from primeur.core.events import BatchMoved
from primeur.core.ids import make_id
from primeur.store.database import Tx, tell
from primeur.walks.check_batch import check_batch, input_lines
from primeur.walks.complete import complete
from primeur.walks.finish_batch import finish_batch
from primeur.walks.house import House
from primeur.walks.respond import Answering
from primeur.walks.run_line import Running, run_line

_ACTOR = "house"
_BATCHES_AT_ONCE = 4
_LINES_AT_ONCE = 8
_LOOK_S = 1.0
# A process that died lets go of its batches after this long.
_CLAIM_MS = 10_000
_log = logging.getLogger("primeur.batches")


@dataclass(slots=True)
class _Desk:
    """What one process is running; *runner* is its name among the processes of this house."""

    house: House
    answering: Answering
    runner: str
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_LINES_AT_ONCE))
    running: dict[str, tuple[Running, asyncio.Task[None]]] = field(default_factory=dict)


async def run_batches(house: House, stop: asyncio.Event, answering: Answering = complete) -> None:
    """Look once a second for batches that nobody runs, and run them, until *stop* is set."""
    desk = _Desk(house, answering, house.entropy(12).hex())
    try:
        while not stop.is_set():
            # Before the first snapshot no key is known.
            if house.board.now.sequence > 0:
                await _look(desk)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_S)
    finally:
        for _, task in desk.running.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in desk.running.values()), return_exceptions=True)
        for batch_id in desk.running:
            await _release(desk, batch_id)


async def _look(desk: _Desk) -> None:
    """Keep what runs claimed, halt what was cancelled or lost, and take on what is due."""
    desk.running = {batch_id: pair for batch_id, pair in desk.running.items() if not pair[1].done()}
    house, until_ms = desk.house, desk.house.clock.now_ms() + _CLAIM_MS
    if desk.running:
        ids = list(desk.running)
        states = await house.store.transact(lambda tx: renew_claims(tx, desk.runner, ids, until_ms))
        for batch_id, (running, _) in desk.running.items():
            if states.get(batch_id, CANCELLING) == CANCELLING:
                running.halt.set()
    now_ms, room = house.clock.now_ms(), _BATCHES_AT_ONCE - len(desk.running)
    for batch in await house.store.read(lambda tx: due_batches(tx, now_ms, room)):
        if batch.id in desk.running:
            # Our own claim lapsed because this process stood still for a while; the next look renews it.
            continue
        if await house.store.transact(partial(claim_batch, batch=batch, runner=desk.runner, until_ms=until_ms)):
            running = Running(house, batch, desk.answering, asyncio.Event())
            desk.running[batch.id] = (running, asyncio.create_task(_run(desk, running), name=batch.id))


async def _run(desk: _Desk, running: Running) -> None:
    """Take one batch as far as it goes; what stumbles is tried again when the claim is over."""
    try:
        await _advance(desk, running)
    except Conflict:
        # Its caller cancelled it between two looks; the next look sees that.
        _log.info("batch %s was moved by its caller", running.batch.id)
    except Exception:  # noqa: BLE001 (a full disk, a lost database: one batch must not end the others)
        _log.exception("batch %s stumbled; it goes on in %s s", running.batch.id, _CLAIM_MS // 1000)
        return
    await _release(desk, running.batch.id)


async def _advance(desk: _Desk, running: Running) -> None:
    house = desk.house
    if running.batch.state == VALIDATING:
        running.batch = await check_batch(house, running.batch)
    if running.batch.state == IN_PROGRESS:
        try:
            await _run_lines(desk, running)
        except NotFound as error:
            _log.warning("batch %s: %s", running.batch.id, error)
            running.halt.set()
            await _move(running, "cancel")
        await _after_lines(running)
    if running.batch.state == FINALIZING:
        await finish_batch(house, running.batch, "complete")
    elif running.batch.state == CANCELLING:
        await finish_batch(house, running.batch, "stop")


async def _after_lines(running: Running) -> None:
    """Look at what became of the batch while its lines ran."""
    house, batch = running.house, running.batch
    running.batch = await house.store.read(lambda tx: find_batch(tx, batch.project_id, batch.id))
    if running.batch.state != IN_PROGRESS:
        return
    if not await house.store.read(lambda tx: open_lines(tx, batch.id)):
        await _move(running, "finish")
    elif running.is_late:
        await finish_batch(house, running.batch, "expire")


async def _move(running: Running, move: str) -> None:
    now_ms = running.house.clock.now_ms()

    def write(tx: Tx) -> Batch:
        moved = move_batch(tx, running.batch, move, now_ms)
        tell(tx, BatchMoved(batch_id=moved.id, state=moved.state), actor=_ACTOR, at_ms=now_ms)
        return moved

    running.batch = await running.house.store.transact(write)


async def _run_lines(desk: _Desk, running: Running) -> None:
    """Run every line that has no answer yet; lines that are cut short by a stop are run anew later."""
    batch = running.batch
    waiting = await desk.house.store.read(lambda tx: open_lines(tx, batch.id))
    cut_short: list[int] = []
    try:
        async with asyncio.TaskGroup() as group, aclosing(input_lines(desk.house, batch)) as some:
            async for texts in some:
                for number, text in texts:
                    if number not in waiting:
                        continue
                    await desk.slots.acquire()
                    if running.halt.is_set() or running.is_late:
                        desk.slots.release()
                        return
                    group.create_task(_run_one(desk, running, (number, waiting[number], text), cut_short))
    finally:
        if cut_short:
            await asyncio.shield(_rename(desk, batch, cut_short))


async def _run_one(desk: _Desk, running: Running, line: tuple[int, str, bytes], cut_short: list[int]) -> None:
    number, request_id, text = line
    try:
        body = read_line(number, text, running.batch.endpoint).body
        answer = await run_line(running, number, request_id, body)
        if answer is not None:
            status, said = answer
            await desk.house.store.transact_together(
                lambda tx: answer_line(tx, running.batch.id, number, status, said.decode(errors="replace"))
            )
    except asyncio.CancelledError:
        cut_short.append(number)
        raise
    finally:
        desk.slots.release()


async def _rename(desk: _Desk, batch: Batch, numbers: list[int]) -> None:
    """Give lines that were cut short new request ids: under the old ones the journal has what they cost until then."""
    house = desk.house
    ids = {number: make_id("request", house.clock.now_ms(), house.entropy) for number in numbers}
    await house.store.transact(lambda tx: rename_lines(tx, batch.id, ids))


async def _release(desk: _Desk, batch_id: str) -> None:
    await desk.house.store.transact(lambda tx: release_batch(tx, desk.runner, batch_id))
