"""Send one ask as several, side by side, and read their answers as one."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from primeur.core.chat import Ask, Target
from primeur.core.errors import PrimeurError, TargetFailed
from primeur.core.fan import StreamMerge, merge_answers, split_body
from primeur.core.ports import Relay, Reply
from primeur.core.reading import NOT_JSON
from primeur.core.sse import EventSplitter
from primeur.walks.read_refusal import read_refusal

ANSWER_LIMIT = 64 << 20
_AT_ONCE = 16
_QUEUE_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Courier:
    """Brings bodies to one target."""

    relay: Relay
    ask: Ask
    target: Target
    path: str
    headers: Sequence[tuple[bytes, bytes]]

    async def send(self, body: bytes) -> Reply:
        """Send *body* and wait for the head of a good answer.

        Raises:
            PrimeurError: the target refused or failed.
        """
        reply = await self.relay.send(self.target.endpoint, "POST", self.path, body, self.headers)
        if reply.status != 200:
            raise await read_refusal(reply, self.target)
        return reply


async def send_each(courier: Courier, body: bytes) -> "ManyReplies":
    """Send *body* once for each answer wanted; the first one's head has arrived.

    Raises:
        PrimeurError: the target refused or failed.
    """
    bodies = split_body(body, courier.ask.fields)
    first = await courier.send(bodies[0])
    return ManyReplies(courier, first, bodies[1:])


class ManyReplies:
    """Several answers read as one; fits `primeur.core.ports.Reply`."""

    def __init__(self, courier: Courier, first: Reply, others: list[bytes]) -> None:
        """*others*: bodies that are still to be sent; that begins now."""
        self._courier, self._first = courier, first
        self._per_prompt = getattr(courier.ask.fields, "n", None) or 1
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._open: list[Reply] = [first]
        self._pieces: asyncio.Queue[tuple[int, bytes | PrimeurError | None]] = asyncio.Queue(_QUEUE_LIMIT)
        read = self._stream if courier.ask.streams else self._whole
        self._tasks = [asyncio.create_task(read(0, None))]
        self._tasks += [asyncio.create_task(read(place, body)) for place, body in enumerate(others, 1)]

    @property
    def status(self) -> int:
        """The first one's; the others are as good, or end the whole."""
        return self._first.status

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """The first one's."""
        return self._first.headers

    async def begin(self) -> None:
        """Nothing to wait for: the first head has arrived, and pieces are being read."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Events of all streams as they come, then one usage chunk and the end.

        Raises:
            PrimeurError: one of them failed.
        """
        merge, left = StreamMerge(len(self._tasks), self._per_prompt), len(self._tasks)
        while left:
            place, piece = await self._pieces.get()
            if isinstance(piece, PrimeurError):
                raise piece
            left -= piece is None
            if piece and (passed := merge.take(place, piece)):
                yield passed
        yield merge.end()

    async def read(self, limit: int) -> bytes:
        """All answers as one.

        Raises:
            PrimeurError: one of them failed, or together they are too long.
        """
        found: dict[int, bytes] = {}
        while len(found) < len(self._tasks):
            place, piece = await self._pieces.get()
            if isinstance(piece, PrimeurError):
                raise piece
            found[place] = piece or b""
        if sum(map(len, found.values())) > limit:
            raise TargetFailed(f"the target's answers are longer than {limit} bytes")
        try:
            answers = [msgspec.json.decode(found[place]) for place in range(len(found))]
        except NOT_JSON as error:
            raise TargetFailed(f"the target's answer is not JSON: {error}") from None
        return msgspec.json.encode(merge_answers(answers, self._per_prompt))

    def close(self) -> None:
        """Let go of all of them."""
        for task in self._tasks:
            task.cancel()
        for reply in self._open:
            reply.close()

    async def _reply(self, body: bytes | None) -> Reply:
        if body is None:
            return self._first
        reply = await self._courier.send(body)
        self._open.append(reply)
        return reply

    async def _whole(self, place: int, body: bytes | None) -> None:
        try:
            async with self._turns:
                reply = await self._reply(body)
                await self._pieces.put((place, await reply.read(ANSWER_LIMIT)))
        except PrimeurError as error:
            await self._pieces.put((place, error))

    async def _stream(self, place: int, body: bytes | None) -> None:
        try:
            splitter = EventSplitter()
            async with self._turns:
                async for piece in await self._reply(body):
                    block = splitter.feed(piece)
                    if block:
                        await self._pieces.put((place, block))
            await self._pieces.put((place, None))
        except PrimeurError as error:
            await self._pieces.put((place, error))
