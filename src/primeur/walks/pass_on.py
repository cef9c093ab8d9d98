"""Pass an answer on to its caller, metering it on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec

from primeur.core.chat import Translation
from primeur.core.errors import PrimeurError, TargetFailed
from primeur.core.ports import Reply
from primeur.core.reading import NOT_JSON
from primeur.core.sse import EventSplitter, event_data, split_events
from primeur.metering.counting import StreamScanner, counted, usage_of, write_usage_chunk
from primeur.metering.frames import EventFrame, frame_of
from primeur.walks.account import with_account
from primeur.walks.meter import Meter

ANSWER_LIMIT = 64 << 20
_LINGER_S = 0.25
# Events of one stream that a frame is taken of; if the next are not like them, neither will those be that follow.
_LOOKS = 8
_KEPT_LIMIT = 1 << 20


class Passage:
    """A stream on its way through: what may go on at once, and what is kept back until it is in the books."""

    def __init__(self, meter: Meter, translation: Translation | None) -> None:
        """Meters on *meter*; *translation* turns the target's pieces into the caller's."""
        self._meter, self._translation = meter, translation
        self._splitter = EventSplitter()
        self._scanner = StreamScanner(wants_usage=meter.ask.wants_usage)
        self._fault: TargetFailed | None = None
        self._frame: EventFrame | None = None
        # What has to be looked at as a whole has no frame.
        self._looks_left = 0 if translation is not None or meter.caller.keeps_prompts else _LOOKS

    @property
    def done(self) -> bool:
        """Nothing more will pass: the target has said its last word, or something wrong, which `last` raises."""
        return self._scanner.done or self._scanner.fault is not None or self._fault is not None

    def passes(self, packet: bytes) -> bool:
        """Whether *packet*, a chunk and what it holds, may go on as it is, for it is like one before it."""
        frame = self._frame
        if frame is None or self._splitter.rest or not frame.holds(packet):
            return False
        self._scanner.pieces += 1
        self._meter.pieces += 1
        return True

    def take(self, piece: bytes) -> bytes:
        """Give the part of the stream that may go on now."""
        meter, scanner = self._meter, self._scanner
        if not self._splitter.rest and piece.endswith(b"}\n\n") and b"\r" not in piece:
            block = piece
        else:
            try:
                block = self._splitter.feed(piece)
            except TargetFailed as fault:
                self._fault, block = fault, b""
        passed = scanner.take(block) if block else b""
        if self._translation is not None:
            passed = self._translated(passed, self._translation)
        meter.usage, meter.pieces = scanner.usage, scanner.pieces
        if passed:
            if meter.first_token_us is None:
                meter.first_piece()
            if meter.caller.keeps_prompts:
                _keep(meter, passed)
            if self._looks_left:
                self._looks_left -= 1
                self._frame = frame_of(passed) or self._frame
        return passed

    def last(self) -> bytes:
        """Give what is owed once the answer is in the books: the usage chunk, if asked for, and ``[DONE]``.

        Raises:
            TargetFailed: the target broke off, sent what cannot be read, or ended its stream before the answer; or
                the translation found a fault.
        """
        fault = self._fault or self._scanner.fault
        if fault is not None:
            raise fault
        if not self._scanner.finished:
            raise TargetFailed("the target ended its stream before the answer was finished")
        last = b"".join(_event(data) for data in self._translation.finish()) if self._translation else b""
        _add_account(self._meter, self._scanner)
        return last + self._scanner.owed

    def _translated(self, passed: bytes, translation: Translation) -> bytes:
        translated: list[bytes] = []
        try:
            for data in map(event_data, split_events(passed)):
                if data:
                    translated += map(_event, translation.piece(_json(data)))
        except TargetFailed as fault:
            self._fault = fault
        return b"".join(translated)


def whole_answer(meter: Meter, body: bytes, translation: Translation | None) -> bytes:
    """Read usage out of a whole answer and give it with what it cost.

    Raises:
        TargetFailed: the answer is not what the target promised.
    """
    meter.first_piece()
    if translation is not None:
        (whole,) = translation.piece(_json(body))
        translation.finish()
        body = msgspec.json.encode(whole)
    meter.usage = usage_of(body)
    if meter.caller.keeps_prompts:
        meter.kept.append(body[:_KEPT_LIMIT].decode(errors="replace"))
    return with_account(body, meter)


def fault_event(error: PrimeurError, deployment: str = "") -> bytes:
    """Tell a fault in a stream, as OpenAI's clients read it: whose target broke off, and what to do."""
    message = error.message
    if deployment and isinstance(error, TargetFailed):
        message = (
            f"the answer of deployment {deployment!r} broke off: {message}; send the request again, and if it"
            f" breaks off again have an operator look at `primeur deployments logs {deployment}`"
        )
    return _event({"error": {"message": message, "type": "server_error", "param": None, "code": error.code}})


async def pass_whole(meter: Meter, reply: Reply, translation: Translation | None) -> bytes:
    """Read a whole answer, meter it and give it with what it cost.

    Raises:
        TargetFailed: the answer is not what the target promised.
    """
    outcome, fault = "cancelled", None
    try:
        body = whole_answer(meter, await reply.read(ANSWER_LIMIT), translation)
        outcome = "completed"
    except PrimeurError as error:
        outcome, fault = "failed", error
        raise
    finally:
        reply.close()
        await meter.close(outcome, fault)
    return body


async def pass_events(meter: Meter, reply: Reply, translation: Translation | None) -> AsyncIterator[bytes]:
    """Pass server-sent events on as bytes; a fault after the first byte is told in the stream."""
    passage = Passage(meter, translation)
    try:
        async for piece in reply:
            passed = passage.take(piece)
            if passed:
                yield passed
            if passage.done:
                break
        last = passage.last()
        await _linger(reply)
        await meter.close("completed")
        yield last
    except PrimeurError as error:
        await meter.close("failed", error)
        yield fault_event(error, meter.served.deployment)
    finally:
        reply.close()
        await meter.close("cancelled")


async def _linger(reply: Reply) -> None:
    """Let the last chunk of HTTP arrive, so that the connection can be used again."""
    with suppress(TimeoutError, TargetFailed):
        async with asyncio.timeout(_LINGER_S):
            async for _ in reply:
                pass


def _add_account(meter: Meter, scanner: StreamScanner) -> None:
    if scanner.usage is None and meter.ask.wants_usage:
        scanner.usage_chunk = write_usage_chunk(meter.ask, counted(meter.ask, meter.pieces))
    if scanner.usage_chunk is not None:
        scanner.usage_chunk = with_account(scanner.usage_chunk, meter)


def _keep(meter: Meter, passed: bytes) -> None:
    if meter.caller.keeps_prompts and sum(map(len, meter.kept)) < _KEPT_LIMIT:
        meter.kept.append(passed.decode(errors="replace"))


def _json(data: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(data)
    except NOT_JSON as error:
        raise TargetFailed(f"the target sent what is not JSON: {error}") from None
    if not isinstance(decoded, dict):
        raise TargetFailed("the target sent JSON that is not an object")
    return decoded


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"
