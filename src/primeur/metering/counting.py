"""Reads usage out of answers, and counts where a target does not; pure."""

import re
from typing import Any

import msgspec

from primeur.core.chat import Ask, Deployment
from primeur.core.errors import TargetFailed
from primeur.core.reading import NOT_JSON
from primeur.core.sse import DONE, event_data, split_events
from primeur.core.usage import Usage
from primeur.core.wire import ChatRequest, Sampling

_BYTES_PER_TOKEN = 4
# A string that is not empty under a name that carries part of an answer; inside a string its quotes would be escaped.
CARRIES = re.compile(rb'"(?:content|text|arguments|refusal|reasoning_content)"\s*:\s*"[^"]')
_FINISHED = re.compile(rb'"finish_reason"\s*:\s*"')


class _Details(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct, frozen=True):
    """The ``usage`` block of OpenAI's wire."""

    prompt_tokens: int = 0
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None

    def read(self) -> Usage:
        """Give it in our words."""
        cached = self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens
        reasoning = self.completion_tokens_details and self.completion_tokens_details.reasoning_tokens
        return Usage(self.prompt_tokens, cached or 0, self.completion_tokens or 0, reasoning or 0)


class _Head(msgspec.Struct, frozen=True):
    usage: WireUsage | None = None
    error: Any = None


class _Choice(msgspec.Struct, frozen=True):
    delta: dict[str, Any] | None = None
    text: str | None = None


class _Chunk(msgspec.Struct, frozen=True):
    choices: list[_Choice] = []
    usage: WireUsage | None = None
    error: Any = None


_head = msgspec.json.Decoder(_Head)
_chunk = msgspec.json.Decoder(_Chunk)


def usage_of(answer: bytes) -> Usage | None:
    """Read the usage block of a whole answer; None when there is none.

    Raises:
        TargetFailed: the answer is not JSON, or its usage is malformed, or it carries an error.
    """
    try:
        head = _head.decode(answer)
    except NOT_JSON as error:
        raise TargetFailed(f"the target's answer cannot be read: {error}") from None
    if head.error is not None:
        raise TargetFailed(f"the target answered with an error: {_words(head.error)}")
    return head.usage.read() if head.usage else None


def worst_case(ask: Ask, deployment: Deployment) -> int:
    """Tokens to hold for an ask: its prompt, estimated, and the longest answer it may get."""
    prompt = estimate_tokens(len(ask.body))
    if not isinstance(ask.fields, Sampling):
        return prompt
    limit = ask.fields.max_tokens
    if isinstance(ask.fields, ChatRequest):
        limit = ask.fields.max_completion_tokens or limit
    return prompt + (limit if limit is not None else _assumed(ask, deployment)) * (ask.fields.n or 1)


def _assumed(ask: Ask, deployment: Deployment) -> int:
    # Without a stated length the prompt is the only hint; four times as much covers nearly every real answer.
    return min(deployment.max_output_tokens, max(64, 4 * estimate_tokens(len(ask.body))))


def estimate_tokens(size: int) -> int:
    """Tokens in *size* bytes of text, at four bytes a token."""
    return -(-size // _BYTES_PER_TOKEN)


class StreamScanner:
    """Reads a stream as it passes: counts pieces, finds usage and the end, parses only what it must.

    Attributes:
        usage: from the target's usage block; None until it has come.
        pieces: parts of the answer that came, without the events that open and end it.
        finished: a finish reason or ``[DONE]`` has been seen.
        done: ``[DONE]`` has been seen.
        fault: what the target did wrong; nothing after it is passed on.
        owed: bytes kept back until the usage event is durable: the usage chunk, if asked for, and ``[DONE]``.
    """

    def __init__(self, *, wants_usage: bool) -> None:
        """*wants_usage*: the caller asked for the usage chunk; else it is taken out."""
        self._wants_usage = wants_usage
        self.usage: Usage | None = None
        self.usage_chunk: bytes | None = None
        self.pieces = 0
        self.finished = False
        self.done = False
        self.fault: TargetFailed | None = None

    def take(self, block: bytes) -> bytes:
        """Look at a block of whole events and give what may be passed on at once: all that stands before a fault."""
        # A reason to finish that is null in every event is told by counting, which is sooner than looking for another.
        named = block.count(b'"finish_reason"')
        if named and named != block.count(b'"finish_reason":null') and _FINISHED.search(block):
            self.finished = True
        plain = b"[DONE]" not in block and b'"usage":' not in block and b'"error":' not in block
        # An object that was cut off does not end in a brace; it is looked at more closely.
        if plain and block.count(b"}\n\n") == block.count(b"\n\n"):
            self.pieces += len(CARRIES.findall(block))
            return block
        passed = []
        try:
            for event in split_events(block):
                passed.append(self._one(event))  # noqa: PERF401 (what came before a fault is kept)
        except TargetFailed as fault:
            self.fault = fault
        return b"".join(passed)

    def _one(self, event: bytes) -> bytes:
        data = event_data(event)
        if data == b"[DONE]":
            self.done = self.finished = True
            return b""
        if not data or self.done:
            return b""
        try:
            chunk = _chunk.decode(data)
        except NOT_JSON as error:
            raise TargetFailed(f"the target sent an event that cannot be read: {error}") from None
        if chunk.error is not None:
            raise TargetFailed(f"the target broke off: {_words(chunk.error)}")
        self.pieces += len(CARRIES.findall(event))
        if chunk.usage is None:
            return event
        self.usage = chunk.usage.read()
        if chunk.choices:
            return event
        self.usage_chunk = data
        return b""

    @property
    def owed(self) -> bytes:
        """See the class."""
        chunk = b"data: " + self.usage_chunk + b"\n\n" if self._wants_usage and self.usage_chunk else b""
        return chunk + DONE


def count_images(ask: Ask) -> int:
    """Count the pictures in a prompt: each is a part of the type ``image_url`` with a member of that name."""
    return ask.body.count(b'"image_url"') // 2 if isinstance(ask.fields, ChatRequest) else 0


def counted(ask: Ask, pieces: int) -> Usage:
    """Usage for an answer whose target gave none: the prompt estimated, one token for each piece."""
    return Usage(estimate_tokens(_text_bytes(ask)), 0, pieces, 0, counted_by="gateway")


def write_usage_chunk(ask: Ask, usage: Usage) -> bytes:
    """Write the usage chunk that a caller asked for and a target did not give."""
    chat = isinstance(ask.fields, ChatRequest)
    block = {"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens}
    chunk: dict[str, Any] = {
        "id": ask.id,
        "object": "chat.completion.chunk" if chat else "text_completion",
        "created": ask.arrived_ms // 1000,
        "model": ask.model,
        "choices": [],
        "usage": {**block, "total_tokens": usage.total_tokens},
    }
    return msgspec.json.encode(chunk)


def _text_bytes(ask: Ask) -> int:
    fields = ask.fields
    if isinstance(fields, ChatRequest):
        return sum(len(str(message.content or "").encode()) + _BYTES_PER_TOKEN for message in fields.messages)
    return len(ask.body)


def _words(error: Any) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or error)[:500]
    return str(error)[:500]
