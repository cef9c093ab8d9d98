"""Answer one inference request: admit, place, relay, meter."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Placement, Served, Target, Translation, price_of
from primeur.core.errors import PrimeurError, TargetFailed
from primeur.core.guards import Verdict
from primeur.core.ports import Reply, Standing
from primeur.registry.observation_rows import Fault
from primeur.walks.admit import Admission, admit_in_turn, settle, write_letter
from primeur.walks.guard_request import Guarding
from primeur.walks.house import House
from primeur.walks.meter import Meter
from primeur.walks.pass_on import pass_events, pass_whole
from primeur.walks.send_each import Courier, send_each

_ATTEMPTS = 3

Begun = tuple[Target, Reply, Translation | None]


@dataclass(slots=True)
class Completion:
    """An answer on its way.

    Attributes:
        body: the whole answer as JSON; None when it streams.
        events: server-sent events as bytes, each piece one or more whole ``data: ...`` events, ``[DONE]`` included.
            Closing it early is a hang-up: the target is cancelled and what was made is metered.
        overhead_us: microseconds spent before the target was called.
        verdicts: what a guard found, as far as it has looked.
    """

    served: Served
    status: int
    standing: Standing
    overhead_us: int
    body: bytes | None = None
    events: AsyncIterator[bytes] | None = None
    verdicts: list[Verdict] = field(default_factory=list)


async def complete(house: House, caller: Caller, ask: Ask) -> Completion:
    """Answer *ask* for *caller*; the usage event is durable before the last byte leaves.

    Raises:
        UnknownModel, UnsupportedParameter, ContextTooLong, OverLimit, NotPermitted: refused by us.
        BadRequest: a guard does not let it pass, or an image in it cannot be had.
        TargetFailed: every target that could be tried failed before its first byte.
    """
    admission = await admit_in_turn(house, caller, ask)
    guarding = Guarding(house, caller, ask, admission.deployment)
    try:
        ask = await guarding.let_through()
        placing = admission.deployment.placing
        seat = None if placing is None else placing.seat(ask, admission.targets)
        first = _first_answer(house, ask, admission) if seat is None else _first_placed(house, ask, admission, seat)
        target, reply, translation = await first
    except BaseException:
        settle(house, ask, admission)
        raise
    placed = None if seat is None else seat.placed
    served = Served(admission.deployment.name, target, price_of(caller, admission.deployment), placed)
    if admission.deployment.mirror is not None:
        admission.deployment.mirror.copy(ask)
    meter = Meter(house, caller, ask, served, admission, seat=seat)
    standing = admission.hold.lane.standing(house.clock.now_ms())
    completion = Completion(served, 200, standing, admission.overhead_us)
    looked = guarding.look_at(translation)
    if ask.streams:
        completion.events = guarding.told(pass_events(meter, reply, looked), target.revision_id)
    else:
        completion.body = await pass_whole(meter, reply, looked)
        await guarding.tell_answer(target.revision_id)
    completion.verdicts = guarding.verdicts
    return completion


async def _first_answer(house: House, ask: Ask, admission: Admission) -> Begun:
    """Try targets until one begins to answer; after its first byte there is no switching."""
    fault: PrimeurError | None = None
    for target in admission.targets[:_ATTEMPTS]:
        try:
            return await _ask_one(house, ask, admission, target)
        except TargetFailed as error:
            note_fault(house, ask, target, error)
            # The first fault is the one to tell: it is about the target that should have answered.
            fault = fault or error
    raise fault or TargetFailed("no target could be tried")


async def _first_placed(house: House, ask: Ask, admission: Admission, seat: Placement) -> Begun:
    """As `_first_answer`, where a right says who is asked, when, and who after."""
    clock = house.clock
    try:
        while True:
            found = seat.next(clock.monotonic_us())
            if isinstance(found, int):
                # Bounded by the request's patience: whoever must be waited for longer is not waited for.
                await asyncio.sleep(found / 1000)
                continue
            try:
                return await _ask_one(house, ask, admission, found)
            except TargetFailed as error:
                note_fault(house, ask, found, error)
                seat.failed(error, clock.monotonic_us())
    except BaseException:
        seat.leave(clock.monotonic_us(), None)
        raise


async def _ask_one(house: House, ask: Ask, admission: Admission, target: Target) -> Begun:
    """Ask one target and wait for its first byte."""
    letter = write_letter(target, ask, admission.cap)
    courier = Courier(house.relay, ask, target, letter.path, tracing(ask))
    reply = await (send_each(courier, letter.body) if letter.each else courier.send(letter.body))
    await _begun(reply)
    return target, reply, letter.translation


async def _begun(reply: Reply) -> None:
    """Wait for the first byte of the answer; a target that fails before it can still be replaced."""
    try:
        await reply.begin()
    except BaseException:
        reply.close()
        raise


def note_fault(house: House, ask: Ask, target: Target, error: PrimeurError) -> None:
    """Remember that *target* failed, even if another answers: whoever judges it must know."""
    house.board.faults.append(Fault(ask.id, target.revision_id, house.clock.now_ms(), error.code))


def tracing(ask: Ask) -> tuple[tuple[bytes, bytes], ...]:
    """Headers that let a target's log be joined with ours."""
    return ((b"x-request-id", ask.id.encode()),)
