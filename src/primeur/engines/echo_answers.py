"""What the echo engine answers, as OpenAI's objects: whole, or in the order a stream would send them. Pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from primeur.core.chat import Json
from primeur.core.errors import BadRequest, ContextTooLong
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest, Function, Prompt, check_prompt
from primeur.engines.echo_schema import smallest
from primeur.engines.echo_words import (
    TOKENS_PER_MESSAGE,
    Wishes,
    alternatives,
    pack_vector,
    read_wishes,
    split,
    unit_vector,
)

MAX_INPUTS = 2048
MAX_DIMENSIONS = 8192


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call: its arguments are JSON text, in tokens."""

    id: str
    name: str
    arguments: list[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer before it is put into a form.

    Attributes:
        given: tokens of the prompt that come first because ``echo`` was asked for.
    """

    index: int
    tokens: list[str]
    calls: list[Call]
    finish: str
    given: list[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """A request, read.

    Attributes:
        prompts: what is to be echoed, one entry per prompt.
        prompt_tokens: of all prompts together.
        prompt_lists: tokens of each prompt.
    """

    ask: ChatRequest | CompletionRequest
    wishes: Wishes
    prompts: list[str]
    prompt_tokens: int
    prompt_lists: list[list[str]]
    now_s: int
    context_tokens: int

    @property
    def is_chat(self) -> bool:
        """Whether this is a chat completion."""
        return isinstance(self.ask, ChatRequest)


def read_chat(ask: ChatRequest, context_tokens: int, now_s: int) -> Reading:
    """Read a chat: what is echoed is the last message of a user or tool."""
    texts = [_content(message.content) for message in ask.messages]
    spoken = [text for text, message in zip(texts, ask.messages, strict=True) if message.role in {"user", "tool"}]
    rest, wishes = read_wishes(spoken[-1] if spoken else "")
    count = sum(len(split(text)) + TOKENS_PER_MESSAGE for text in texts) + TOKENS_PER_MESSAGE
    _check_context(count, context_tokens, "messages")
    return Reading(ask, wishes, [rest], count, [split(rest)], now_s, context_tokens)


def read_completion(ask: CompletionRequest, context_tokens: int, now_s: int) -> Reading:
    """Read a plain completion; each prompt is text, or tokens, which are written as numbers."""
    lists = token_lists(ask.prompt if ask.prompt is not None else "")
    rest, wishes = read_wishes("".join(lists[-1]))
    for tokens in lists:
        _check_context(len(tokens), context_tokens, "prompt")
    prompts = ["".join(tokens) for tokens in lists[:-1]] + [rest]
    if ask.suffix is not None:
        prompts = [f"between {prompt} and {ask.suffix}" for prompt in prompts]
    return Reading(ask, wishes, prompts, sum(map(len, lists)), lists, now_s, context_tokens)


def token_lists(prompt: Prompt) -> list[list[str]]:
    """Bring every form of a prompt or input into lists of tokens."""
    if isinstance(prompt, str):
        return [split(prompt)]
    try:
        check_prompt("prompt", prompt)
    except ValueError as error:
        raise BadRequest(f"{error}", param="prompt") from None
    if isinstance(prompt[0], int):
        return [[f" {token}" for token in prompt]]
    return [split(part) if isinstance(part, str) else [f" {token}" for token in _listed(part)] for part in prompt]


def _listed(tokens: int | list[int]) -> list[int]:
    return tokens if isinstance(tokens, list) else [tokens]


def _content(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "".join(part["text"] for part in content if isinstance(part.get("text"), str))
    return content or ""


def _check_context(count: int, limit: int, param: str) -> None:
    if count >= limit:
        raise ContextTooLong(
            f"This model's maximum context length is {limit} tokens; your {param} has {count}", param=param
        )


def choices_of(reading: Reading) -> list[Choice]:
    """All answers, prompt by prompt."""
    count = reading.ask.n or 1
    return [
        _choice(reading, prompt, place * count + i, i)
        for place, prompt in enumerate(reading.prompts)
        for i in range(count)
    ]


def _choice(reading: Reading, prompt: str, index: int, rank: int) -> Choice:
    ask, wishes = reading.ask, reading.wishes
    given = reading.prompt_lists[index // (ask.n or 1)] if getattr(ask, "echo", None) else []
    calls = _calls(ask, wishes, prompt) if isinstance(ask, ChatRequest) else []
    if calls:
        return Choice(index, [], *_limited_calls(calls, limit_of(reading)), [])
    text = _formed(ask, wishes, prompt) if isinstance(ask, ChatRequest) else prompt
    text = " ".join([text] * wishes.repeat) + (f" ({rank + 1})" if rank else "")
    tokens, finish = _stopped(split(text), ask.stop)
    if len(tokens) > (limit := limit_of(reading)):
        tokens, finish = tokens[:limit], "length"
    return Choice(index, tokens, [], wishes.finish or finish, given)


def limit_of(reading: Reading) -> int:
    """Most tokens an answer may have."""
    ask = reading.ask
    asked = ask.max_completion_tokens if isinstance(ask, ChatRequest) else None
    longest = max(map(len, reading.prompt_lists)) if not reading.is_chat else reading.prompt_tokens
    left = reading.context_tokens - longest
    wanted = asked if asked is not None else ask.max_tokens
    return left if wanted is None else min(wanted, left)


def _stopped(tokens: list[str], stop: str | list[str] | None) -> tuple[list[str], str]:
    text = "".join(tokens)
    places = [text.find(word) for word in ([stop] if isinstance(stop, str) else stop or []) if word]
    ends = [place for place in places if place >= 0]
    return (split(text[: min(ends)]) if ends else tokens), "stop"


def _formed(ask: ChatRequest, wishes: Wishes, prompt: str) -> str:
    form = ask.response_format
    if form is None or form.type == "text" or wishes.free_text:
        return prompt
    if form.type == "json_object":
        return msgspec.json.encode({"echo": prompt}).decode()
    schema = form.json_schema.schema if form.json_schema else None
    return msgspec.json.encode(smallest(schema or {}, prompt)).decode()


def _calls(ask: ChatRequest, wishes: Wishes, prompt: str) -> list[Call]:
    functions = {tool.function.name: tool.function for tool in ask.tools or []}
    name = _chosen(ask, wishes, list(functions))
    if name is None:
        return []
    if name not in functions:
        raise BadRequest(f"tool_choice names {name!r}, which is not among the tools", param="tool_choice")
    count = 1 if ask.parallel_tool_calls is False else wishes.calls
    arguments = split(_arguments(functions[name], prompt))
    return [Call(f"call_{_short(name, prompt, str(i))}", name, arguments) for i in range(count)]


def _chosen(ask: ChatRequest, wishes: Wishes, names: list[str]) -> str | None:
    choice = ask.tool_choice
    if not names or choice == "none":
        return None
    if isinstance(choice, dict):
        return str(choice.get("function", {}).get("name"))
    if wishes.call is not None:
        return wishes.call or names[0]
    return names[0] if choice == "required" else None


def _arguments(function: Function, prompt: str) -> str:
    return msgspec.json.encode(smallest(function.parameters or {"type": "object"}, prompt)).decode()


def _limited_calls(calls: list[Call], limit: int) -> tuple[list[Call], str]:
    kept: list[Call] = []
    for call in calls:
        left = limit - sum(len(done.arguments) for done in kept)
        if left < len(call.arguments):
            return [*kept, Call(call.id, call.name, call.arguments[: max(left, 0)])], "length"
        kept.append(call)
    return kept, "tool_calls"


def _short(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:24]


def usage_of(reading: Reading, choices: list[Choice]) -> Json:
    """The usage block."""
    made = sum(len(choice.tokens) + sum(len(call.arguments) for call in choice.calls) for choice in choices)
    best_of = getattr(reading.ask, "best_of", None)
    if best_of and best_of > (reading.ask.n or 1):
        made = made * best_of // (reading.ask.n or 1)
    made += reading.wishes.reasoning
    return {
        "prompt_tokens": reading.prompt_tokens,
        "completion_tokens": made,
        "total_tokens": reading.prompt_tokens + made,
        "prompt_tokens_details": {"cached_tokens": min(reading.wishes.cached, reading.prompt_tokens)},
        "completion_tokens_details": {"reasoning_tokens": reading.wishes.reasoning},
    }


def frame(reading: Reading, *, chunk: bool) -> Json:
    """What stands around the choices."""
    kind = ("chat.completion.chunk" if chunk else "chat.completion") if reading.is_chat else "text_completion"
    letters = "chatcmpl" if reading.is_chat else "cmpl"
    return {
        "id": f"{letters}-{_short(reading.ask.model, *reading.prompts)}",
        "object": kind,
        "created": reading.now_s,
        "model": reading.ask.model,
        "system_fingerprint": "echo",
    }


def whole(reading: Reading) -> Json:
    """The answer in one object."""
    choices = choices_of(reading)
    form = _chat_choice if reading.is_chat else _text_choice
    body = {**frame(reading, chunk=False), "choices": [form(reading, choice) for choice in choices]}
    if not reading.wishes.no_usage:
        body["usage"] = usage_of(reading, choices)
    return body


def _chat_choice(reading: Reading, choice: Choice) -> Json:
    message: Json = {"role": "assistant", "content": None if choice.calls else "".join(choice.tokens), "refusal": None}
    if choice.calls:
        message["tool_calls"] = [_call(call, "".join(call.arguments)) for call in choice.calls]
    logprobs = chat_logprobs(reading, choice.tokens, 0) if getattr(reading.ask, "logprobs", None) else None
    return {"index": choice.index, "message": message, "logprobs": logprobs, "finish_reason": choice.finish}


def _call(call: Call, arguments: str) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _text_choice(reading: Reading, choice: Choice) -> Json:
    tokens = [*choice.given, *choice.tokens]
    return {
        "index": choice.index,
        "text": "".join(tokens),
        "logprobs": text_logprobs(reading, choice, tokens, 0),
        "finish_reason": choice.finish,
    }


def chat_logprobs(reading: Reading, tokens: list[str], start: int) -> Json:
    """Log-probabilities in the chat form."""
    ask = reading.ask
    count = getattr(ask, "top_logprobs", None) or 0
    entries: list[Json] = []
    for place, token in enumerate(tokens, start):
        ranked = [_entry(*pair) for pair in alternatives(token, place, ask.seed, max(count, 1))]
        entries.append({**ranked[0], "top_logprobs": ranked[:count]})
    return {"content": entries, "refusal": None}


def _entry(token: str, probability: float) -> Json:
    return {"token": token, "logprob": probability, "bytes": list(token.encode())}


def text_logprobs(reading: Reading, choice: Choice, tokens: list[str], start: int) -> Json | None:
    """Log-probabilities in the legacy form; the first token of an echoed prompt has none."""
    ask = reading.ask
    if not isinstance(ask, CompletionRequest) or ask.logprobs is None:
        return None
    everything = [*choice.given, *choice.tokens]
    offsets = [sum(map(len, everything[:place])) for place in range(start, start + len(tokens))]
    ranked = [alternatives(t, place, ask.seed, max(ask.logprobs, 1)) for place, t in enumerate(tokens, start)]
    known = [not (choice.given and place == 0) for place in range(start, start + len(tokens))]
    return {
        "tokens": tokens,
        "token_logprobs": [r[0][1] if k else None for r, k in zip(ranked, known, strict=True)],
        "top_logprobs": [dict(r[: ask.logprobs]) if k else None for r, k in zip(ranked, known, strict=True)],
        "text_offset": offsets,
    }


def pieces(reading: Reading) -> Iterator[Json]:
    """The answer in chunks, usage last when it was asked for."""
    choices = choices_of(reading)
    around = frame(reading, chunk=True)
    form = _chat_pieces if reading.is_chat else _text_pieces
    for choice in choices:
        for piece in form(reading, choice):
            yield {**around, "choices": [{"index": choice.index, "logprobs": None, "finish_reason": None, **piece}]}
    options = reading.ask.stream_options
    if options and options.include_usage and not reading.wishes.no_usage:
        yield {**around, "choices": [], "usage": usage_of(reading, choices)}


def _chat_pieces(reading: Reading, choice: Choice) -> Iterator[Json]:
    wants = getattr(reading.ask, "logprobs", None)
    yield {"delta": {"role": "assistant", "content": None if choice.calls else ""}}
    for place, token in enumerate(choice.tokens):
        yield {"delta": {"content": token}, "logprobs": chat_logprobs(reading, [token], place) if wants else None}
    for place, call in enumerate(choice.calls):
        yield {"delta": {"tool_calls": [{"index": place, **_call(call, "")}]}}
        for token in call.arguments:
            yield {"delta": {"tool_calls": [{"index": place, "function": {"arguments": token}}]}}
    yield {"delta": {}, "finish_reason": choice.finish}


def _text_pieces(reading: Reading, choice: Choice) -> Iterator[Json]:
    for place, token in enumerate([*choice.given, *choice.tokens]):
        yield {"text": token, "logprobs": text_logprobs(reading, choice, [token], place)}
    yield {"text": "", "finish_reason": choice.finish}


def vectors(ask: EmbeddingRequest, size: int, context_tokens: int) -> tuple[Json, Wishes]:
    """Embeddings of every input, and the wishes in the last one."""
    lists = token_lists(ask.input)
    if len(lists) > MAX_INPUTS:
        raise BadRequest(f"{len(lists)} inputs; at most {MAX_INPUTS} are taken", param="input")
    if ask.dimensions is not None and ask.dimensions > MAX_DIMENSIONS:
        raise BadRequest(f"a vector has at most {MAX_DIMENSIONS} dimensions", param="dimensions")
    for tokens in lists:
        _check_context(len(tokens), context_tokens, "input")
    _, wishes = read_wishes("".join(lists[-1]))
    found = [unit_vector("".join(tokens), ask.dimensions or size) for tokens in lists]
    packed = [pack_vector(vector) if ask.encoding_format == "base64" else vector for vector in found]
    count = sum(map(len, lists))
    return {
        "object": "list",
        "model": ask.model,
        "data": [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(packed)],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }, wishes
