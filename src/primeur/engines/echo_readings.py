"""How the echo engine reads an ask: its tokens, its wishes, and the choices that are its answer. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from primeur.core.errors import BadRequest, ContextTooLong
from primeur.core.wire import ChatRequest, CompletionRequest, Function, Prompt, check_prompt
from primeur.engines.echo_schema import smallest
from primeur.engines.echo_words import (
    TOKENS_PER_MESSAGE,
    Wishes,
    read_wishes,
    split,
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
    check_context(count, context_tokens, "messages")
    return Reading(ask, wishes, [rest], count, [split(rest)], now_s, context_tokens)


def read_completion(ask: CompletionRequest, context_tokens: int, now_s: int) -> Reading:
    """Read a plain completion; each prompt is text, or tokens, which are written as numbers."""
    lists = token_lists(ask.prompt if ask.prompt is not None else "")
    rest, wishes = read_wishes("".join(lists[-1]))
    for tokens in lists:
        check_context(len(tokens), context_tokens, "prompt")
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


def check_context(count: int, limit: int, param: str) -> None:
    """Refuse what leaves no room for an answer, in OpenAI's own words.

    Raises:
        ContextTooLong: *count* tokens fill *limit*.
    """
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
    return [Call(f"call_{short(name, prompt, str(i))}", name, arguments) for i in range(count)]


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


def short(*words: str) -> str:
    """Give 24 hexadecimal digits that the same words always have."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:24]
