"""Makes the load of a bench: streaming requests, so many at a time, over the relay's own pooled connections."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from primeur.cli.reach import Reach
from primeur.core.chat import Endpoint
from primeur.core.errors import BadRequest, CallerError, PrimeurError, SetupError, TargetFailed
from primeur.core.ports import Reply
from primeur.core.reading import NOT_JSON
from primeur.core.sse import EventSplitter, event_data, split_events
from primeur.metering.benchmarks import Sample
from primeur.relay.pool import Pool

_WORDS = ("the", "house", "by", "the", "sea", "has", "a", "red", "door", "and", "a", "small", "garden")
_REFUSAL_LIMIT = 64 << 10
_SILENCE_S = 300.0
_LONGEST_LINE = 200


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


_chunk = msgspec.json.Decoder(_Chunk)


@dataclass(slots=True)
class Load:
    """What is asked.

    Attributes:
        words: of each prompt; found by `calibrate` so that it has about the wanted tokens.
        to_the_end: the deployment can be told not to stop before *output_tokens*.
    """

    model: str
    prompt_tokens: int
    output_tokens: int
    words: int = 0
    to_the_end: bool = True
    asked: int = 0

    def body(self) -> bytes:
        """The next request; no two prompts begin alike, so that no cache of prompts flatters the figures."""
        self.asked += 1
        words = self.words or self.prompt_tokens
        text = " ".join([f"{self.asked}:", *(_WORDS[place % len(_WORDS)] for place in range(words))])
        ask: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": text}],
            "max_tokens": self.output_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return msgspec.json.encode(ask | ({"ignore_eos": True} if self.to_the_end else {}))


def endpoint_of(reach: Reach, connections: int) -> Endpoint:
    """Where the requests go.

    Raises:
        SetupError: the address is none.
    """
    parts = urlsplit(reach.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SetupError(f"{reach.url!r} is no address of a service; write http://HOST:PORT")
    return Endpoint(
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port or {"http": 80, "https": 443}[parts.scheme],
        prefix=f"{parts.path}/v1",
        headers=((b"authorization", f"Bearer {reach.key}".encode()),),
        max_connections=connections,
        silence_timeout_s=_SILENCE_S,
        reach="ours",
    )


async def calibrate(pool: Pool, endpoint: Endpoint, load: Load) -> None:
    """Ask once to warm up, to learn how long the prompt must be, and whether the answer can be kept from ending.

    Raises:
        BadRequest: the deployment cannot be asked; says why.
    """
    sample = await ask(pool, endpoint, load)
    if sample.fault and load.to_the_end:
        load.to_the_end = False
        sample = await ask(pool, endpoint, load)
    if sample.fault:
        raise BadRequest(f"{load.model} cannot be measured: {sample.fault}")
    if sample.input_tokens:
        load.words = max(1, round(load.prompt_tokens * load.prompt_tokens / sample.input_tokens))


async def run_level(
    pool: Pool, endpoint: Endpoint, load: Load, concurrency: int, requests: int, done: Callable[[], None]
) -> list[Sample]:
    """Ask *requests* times, *concurrency* at a time; *done* is called after each."""
    samples: list[Sample] = []
    left = iter(range(requests))

    async def caller() -> None:
        for _ in left:
            samples.append(await ask(pool, endpoint, load))
            done()

    async with asyncio.TaskGroup() as callers:
        for _ in range(min(concurrency, requests)):
            callers.create_task(caller())
    return samples


async def ask(pool: Pool, endpoint: Endpoint, load: Load) -> Sample:
    """Ask once; what goes wrong is in the sample."""
    body = load.body()
    sample = Sample(time.monotonic())
    try:
        reply = await pool.send(endpoint, "POST", "/chat/completions", body)
        try:
            if reply.status != 200:
                raise _refusal(reply.status, await reply.read(_REFUSAL_LIMIT))
            await _read(reply, sample)
        finally:
            reply.close()
    except PrimeurError as error:
        sample.fault = error.message[:_LONGEST_LINE]
    sample.ended_s = time.monotonic()
    return sample


async def _read(reply: Reply, sample: Sample) -> None:
    splitter = EventSplitter()
    async for piece in reply:
        now_s = time.monotonic()
        for event in split_events(splitter.feed(piece)):
            data = event_data(event)
            if data and data != b"[DONE]":
                _take(data, sample, now_s)
    if not sample.pieces_s:
        raise TargetFailed("the answer was empty")
    sample.output_tokens = sample.output_tokens or len(sample.pieces_s)


def _take(data: bytes, sample: Sample, now_s: float) -> None:
    try:
        chunk = _chunk.decode(data)
    except NOT_JSON as error:
        raise TargetFailed(f"the stream cannot be read: {error}") from None
    if chunk.error is not None:
        raise TargetFailed(f"the answer broke off: {chunk.error}")
    if chunk.usage is not None:
        sample.input_tokens, sample.output_tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
    if any(choice.delta.content for choice in chunk.choices):
        sample.pieces_s.append(now_s)


def _refusal(status: int, body: bytes) -> PrimeurError:
    try:
        return CallerError(str(msgspec.json.decode(body)["error"]["message"]))
    except (msgspec.DecodeError, KeyError, TypeError):
        return TargetFailed(f"status {status}")
