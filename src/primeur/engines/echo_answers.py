"""What the echo engine answers, as OpenAI's objects: whole, or in the order a stream would send them. Pure."""

from collections.abc import Iterator

from primeur.core.chat import Json
from primeur.core.errors import BadRequest
from primeur.core.wire import CompletionRequest, EmbeddingRequest
from primeur.engines.echo_readings import Call, Choice, Reading, check_context, choices_of, short, token_lists
from primeur.engines.echo_words import (
    Wishes,
    alternatives,
    pack_vector,
    read_wishes,
    unit_vector,
)

MAX_INPUTS = 2048
MAX_DIMENSIONS = 8192


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
        "id": f"{letters}-{short(reading.ask.model, *reading.prompts)}",
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
        check_context(len(tokens), context_tokens, "input")
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
