"""Copy requests to a revision on trial and throw its answers away: nobody waits for them, nobody pays."""

import asyncio
from zlib import crc32

from primeur.core.chat import Ask, Target
from primeur.core.errors import PrimeurError, TargetBusy, TargetFailed
from primeur.core.ports import Reply
from primeur.core.price import Price
from primeur.core.sse import EventSplitter
from primeur.core.usage import Usage
from primeur.metering.counting import StreamScanner, counted, usage_of
from primeur.metering.rules import charge
from primeur.registry.shadow_rows import Shadowed
from primeur.walks.admit import write_letter
from primeur.walks.house import House
from primeur.walks.send_each import Courier, send_each

IN_FLIGHT_MOST = 8
"""Copies that one process has under way; more are dropped, so that a slow revision holds nothing up."""
_LONGEST_S = 120.0
_ANSWER_LIMIT = 16 << 20
_HUNDRED = 100


class Mirror:
    """Copies *percent* of a deployment's requests to *target*; compiled once per snapshot."""

    def __init__(self, house: House, target: Target, percent: int, price: Price | None) -> None:
        """*price*: what the copies would have cost, for the judge."""
        self._house, self._target, self._percent, self._price = house, target, percent, price

    def copy(self, ask: Ask) -> None:
        """Begin to copy *ask*, if it is drawn and there is room; never raises, never waits.

        A target that says it is busy is left alone for as long as it says.
        """
        if crc32(ask.id.encode()) % _HUNDRED >= self._percent or ask.route not in self._target.routes:
            return
        mirrors = self._house.board.mirrors
        if len(mirrors.under_way) >= IN_FLIGHT_MOST or ask.arrived_us < mirrors.resting_until_us:
            mirrors.dropped += 1
            return
        task = asyncio.get_running_loop().create_task(self._run(ask))
        mirrors.under_way.add(task)
        task.add_done_callback(mirrors.under_way.discard)

    async def _run(self, ask: Ask) -> None:
        house, began_us = self._house, self._house.clock.monotonic_us()
        failed, first_us, usage = False, None, None
        try:
            async with asyncio.timeout(_LONGEST_S):
                reply = await self._send(ask)
                try:
                    await reply.begin()
                    first_us = house.clock.monotonic_us() - began_us
                    usage = await _read(ask, reply)
                finally:
                    reply.close()
        except TargetBusy as busy:
            house.board.mirrors.rest(house.clock.monotonic_us() + busy.retry_after_ms * 1000)
            return
        except (TargetFailed, TimeoutError):
            failed = True
        except PrimeurError:
            # What the caller asked for is refused there: that says nothing of how well it answers.
            house.board.mirrors.dropped += 1
            return
        used = usage or Usage()
        house.board.mirrors.seen.append(
            Shadowed(
                request_id=ask.id,
                revision_id=self._target.revision_id,
                at_ms=ask.arrived_ms,
                duration_us=house.clock.monotonic_us() - began_us,
                failed=failed,
                first_token_us=first_us,
                input_tokens=used.input_tokens,
                output_tokens=used.output_tokens,
                cost_nanos=None if usage is None else charge(usage, self._price),
            )
        )

    async def _send(self, ask: Ask) -> Reply:
        letter = write_letter(self._target, ask)
        headers = ((b"x-request-id", f"{ask.id}-shadow".encode()),)
        courier = Courier(self._house.relay, ask, self._target, letter.path, headers)
        return await (send_each(courier, letter.body) if letter.each else courier.send(letter.body))


async def _read(ask: Ask, reply: Reply) -> Usage:
    """Read an answer to its end, keeping nothing of it.

    Raises:
        TargetFailed: it is not what the target promised.
    """
    if not ask.streams:
        return usage_of(await reply.read(_ANSWER_LIMIT)) or counted(ask, 0)
    splitter, scanner = EventSplitter(), StreamScanner(wants_usage=True)
    async for piece in reply:
        scanner.take(splitter.feed(piece))
        if scanner.fault is not None:
            raise scanner.fault
    if not scanner.finished:
        raise TargetFailed("the target ended its stream before the answer was finished")
    return scanner.usage or counted(ask, scanner.pieces)
