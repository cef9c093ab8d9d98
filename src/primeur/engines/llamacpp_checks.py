"""What llama.cpp would ignore in silence, refused by name: by parameter in tables, by value in `check`. Pure.

What each parameter does was found by experiment with xllamacpp 2026.10.11549; see docs/rooms/engines.md.
"""

from collections.abc import Mapping

from primeur.core.chat import Ask, Route, Target
from primeur.core.errors import BadRequest, UnsupportedParameter
from primeur.core.wire import ChatRequest, CompletionRequest, Message

_SAMPLED_ONCE = "llama.cpp makes text and no more; leave it out"
CHAT_REFUSES: Mapping[str, str] = {
    "audio": _SAMPLED_ONCE,
    "function_call": "it is the old form; use 'tool_choice'",
    "functions": "it is the old form; use 'tools'",
    "moderation": "the engine checks nothing; leave it out",
    "prediction": "llama.cpp does not use it; leave it out",
    "verbosity": "no open model's template knows it; say it in a message",
    "web_search_options": "the engine searches nothing; leave it out",
}
EMBEDDING_REFUSES: Mapping[str, str] = {"dimensions": "the vectors have the size of the model; leave it out"}
_TOOL_CHOICES = frozenset({"none", "auto", "required"})


def check(ask: Ask, target: Target) -> None:
    """Refuse values that llama.cpp would ignore.

    Raises:
        UnsupportedParameter, BadRequest: names the parameter and says what to do.
    """
    fields = ask.fields
    if isinstance(fields, (ChatRequest, CompletionRequest)):
        if fields.max_tokens == 0:
            raise _unsupported("max_tokens", "0 would still make one token; ask for at least 1")
        if fields.lora and "lora" not in target.features:
            raise _unsupported("lora", "no adapter is loaded beside this model")
    if isinstance(fields, ChatRequest):
        _check_chat(fields, target)
    elif isinstance(fields, CompletionRequest):
        _check_text(fields, target)


def _check_chat(fields: ChatRequest, target: Target) -> None:
    if fields.store:
        raise _unsupported("store", "chat completions are not stored; use /v1/responses or leave it out")
    if fields.reasoning_effort is not None and "reasoning_effort" not in target.features:
        raise _unsupported("reasoning_effort", "the model's chat template does not know it; leave it out")
    if fields.modalities not in (None, ["text"]):
        raise _unsupported("modalities", "the model makes text only")
    _check_tools(fields)
    if "vision" not in target.features:
        for place, message in enumerate(fields.messages):
            _check_parts(place, message)


def _check_tools(fields: ChatRequest) -> None:
    choice = fields.tool_choice
    if choice is None:
        return
    if not fields.tools:
        raise BadRequest("'tool_choice' needs 'tools'", param="tool_choice")
    if isinstance(choice, str):
        if choice not in _TOOL_CHOICES:
            raise BadRequest(
                f"'tool_choice' is {choice!r}; use none, auto, required or a function", param="tool_choice"
            )
        return
    if choice.get("type") != "function":
        raise _unsupported("tool_choice", f"the type {choice.get('type')!r} is not known; name a function")
    name = chosen_name(fields)
    if name not in {tool.function.name for tool in fields.tools}:
        raise BadRequest(f"'tool_choice' names {name!r}, which is not among the tools", param="tool_choice")


def must_call(fields: ChatRequest) -> bool:
    """Whether the answer must be a tool call."""
    return bool(fields.tools) and (fields.tool_choice == "required" or isinstance(fields.tool_choice, dict))


def chosen_name(fields: ChatRequest) -> str | None:
    """The function that must be called; None when none is named."""
    choice = fields.tool_choice
    function = choice.get("function") if isinstance(choice, dict) else None
    return str(function.get("name")) if isinstance(function, dict) else None


def _check_parts(place: int, message: Message) -> None:
    if message.role == "function":
        raise _unsupported(f"messages[{place}].role", "'function' is the old form; use 'tool'")
    if isinstance(message.content, str) or message.content is None:
        return
    for number, part in enumerate(message.content):
        if part.get("type") not in {"text", "refusal"}:
            raise _unsupported(f"messages[{place}].content[{number}]", f"this model does not read {part.get('type')!r}")


def _check_text(fields: CompletionRequest, target: Target) -> None:
    if fields.best_of is not None and fields.best_of > (fields.n or 1):
        raise _unsupported("best_of", "llama.cpp ranks no answers; use 'n'")
    if fields.echo and fields.logprobs is not None:
        raise _unsupported("echo", "llama.cpp has no log-probabilities of the prompt; leave out 'echo' or 'logprobs'")
    tokens = not (isinstance(fields.prompt, str) or fields.prompt is None) and not isinstance(fields.prompt[0], str)
    if fields.echo and tokens:
        raise _unsupported("echo", "a prompt of tokens cannot be echoed as text; send text")
    if fields.suffix and "suffix" not in target.features:
        raise _unsupported("suffix", "the model has no fill-in-the-middle tokens")
    if fields.suffix and tokens:
        raise _unsupported("suffix", "it goes with a prompt of text, not of tokens")


def _unsupported(name: str, reason: str) -> UnsupportedParameter:
    return UnsupportedParameter(f"{name!r} is not supported by this engine: {reason}", param=name)


REFUSES: Mapping[Route, Mapping[str, str]] = {Route.CHAT: CHAT_REFUSES, Route.EMBEDDINGS: EMBEDDING_REFUSES}
