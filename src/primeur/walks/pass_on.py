"""Pass an answer on to its caller, metering it on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec

from primeur.core.chat import Translation
from primeur.core.errors import PrimeurError, TargetFailed
from primeur.core.ports import Reply
from primeur.core.splice import with_extra
from primeur.core.sse import EventSplitter, event_data, split_events
from primeur.metering.counting import StreamScanner, counted, usage_of, write_usage_chunk
from primeur.walks.meter import Meter

ANSWER_LIMIT = 64 << 20
_LINGER_S = 0.25
_KEPT_LIMIT = 1 << 20


async def pass_whole(meter: Meter, reply: Reply, translation: Translation | None) -> bytes:
    """Read a whole answer, meter it and give it with what it cost.

    Raises:
        TargetFailed: the answer is not what the target promised.
    """
    outcome, fault = "cancelled", None
    try:
        body = await reply.read(ANSWER_LIMIT)
        meter.first_piece()
        if translation is not None:
            body = _translated(translation, body)
        meter.usage = usage_of(body)
        if meter.caller.keeps_prompts:
            meter.kept.append(body[:_KEPT_LIMIT].decode(errors="replace"))
        outcome = "completed"
        return with_extra(body, "primeur", _account(meter))
    except PrimeurError as error:
        outcome, fault = "failed", error
        raise
    finally:
        reply.close()
        await meter.close(outcome, fault)


async def pass_events(meter: Meter, reply: Reply, translation: Translation | None) -> AsyncIterator[bytes]:
    """Pass server-sent events on as bytes; a fault after the first byte is told in the stream."""
    try:
        splitter, scanner = EventSplitter(), StreamScanner(wants_usage=meter.ask.wants_usage)
        async for piece in reply:
            block = splitter.feed(piece)
            passed = _passed(block, scanner, translation)
            meter.usage, meter.pieces = scanner.usage, scanner.pieces
            if passed:
                meter.first_piece()
                _keep(meter, passed)
                yield passed
            if scanner.done:
                break
        if not scanner.finished:
            raise TargetFailed("the target ended its stream before the answer was finished")
        last = b"".join(_event(data) for data in translation.finish()) if translation else b""
        await _linger(reply)
        _add_account(meter, scanner)
        await meter.close("completed")
        yield last + scanner.owed
    except PrimeurError as error:
        await meter.close("failed", error)
        yield _event({"error": {"message": error.message, "type": "server_error", "param": None, "code": error.code}})
    finally:
        reply.close()
        await meter.close("cancelled")


def _passed(block: bytes, scanner: StreamScanner, translation: Translation | None) -> bytes:
    """Give the part of *block* that may go on now."""
    if not block:
        return b""
    passed = scanner.take(block)
    if translation is None or not passed:
        return passed
    pieces = (translation.piece(_json(event_data(event))) for event in split_events(passed) if event_data(event))
    return b"".join(_event(data) for some in pieces for data in some)


def _translated(translation: Translation, body: bytes) -> bytes:
    (whole,) = translation.piece(_json(body))
    translation.finish()
    return msgspec.json.encode(whole)


async def _linger(reply: Reply) -> None:
    """Let the last chunk of HTTP arrive, so that the connection can be used again."""
    with suppress(TimeoutError, TargetFailed):
        async with asyncio.timeout(_LINGER_S):
            async for _ in reply:
                pass


def _account(meter: Meter) -> dict[str, Any]:
    price = meter.served.price
    return {
        "request_id": meter.ask.id,
        "deployment": meter.served.deployment,
        "revision": meter.served.target.revision_id,
        "provider": meter.served.target.provider,
        "cost_nanos": meter.cost_nanos,
        "currency": price.currency if price else None,
    }


def _add_account(meter: Meter, scanner: StreamScanner) -> None:
    if scanner.usage is None and meter.ask.wants_usage:
        scanner.usage_chunk = write_usage_chunk(meter.ask, counted(meter.ask, meter.pieces))
    if scanner.usage_chunk is not None:
        scanner.usage_chunk = with_extra(scanner.usage_chunk, "primeur", _account(meter))


def _keep(meter: Meter, passed: bytes) -> None:
    if meter.caller.keeps_prompts and sum(map(len, meter.kept)) < _KEPT_LIMIT:
        meter.kept.append(passed.decode(errors="replace"))


def _json(data: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise TargetFailed(f"the target sent what is not JSON: {error}") from None
    if not isinstance(decoded, dict):
        raise TargetFailed("the target sent JSON that is not an object")
    return decoded


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"
