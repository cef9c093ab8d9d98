"""What a caller asks of ``/v1/responses``, written as a chat; what cannot be honoured is refused by name; pure.

Source: OpenAI API 2.3.0, ``CreateResponse`` and ``CreateChatCompletionRequest``.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from primeur.archive.response_wire import CreateResponse, ResponseObject, TextFormat
from primeur.archive.wire import Json
from primeur.core.errors import BadRequest, UnsupportedParameter
from primeur.core.reading import is_id, read_value
from primeur.core.wire import Function

LOGPROBS = "message.output_text.logprobs"
_INCLUDED = frozenset({LOGPROBS, "message.input_image.image_url"})

_REFUSED = {
    "context_management": "use truncation",
    "max_tool_calls": "it limits built-in tools, of which there are none",
    "moderation": "no guard is configured",
    "prompt": "prompts are not stored here; send instructions and input",
}
_PASSED = (
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "temperature",
    "top_p",
    "user",
)
# How a fault in the chat is named to a caller who never wrote one.
_NAMES = {
    "logprobs": "include",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "messages": "input",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "stream_options": "stream",
    "verbosity": "text.verbosity",
}


class _FunctionTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None
    output_schema: Json | None = None
    defer_loading: bool | None = None
    allowed_callers: list[str] | None = None


class _NamedTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["function"]
    name: str


class _AllowedTools(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: list[_NamedTool]


def check_asked(request: CreateResponse) -> None:
    """Refuse what no engine here can do, and what contradicts itself.

    Raises:
        UnsupportedParameter: names the parameter.
        BadRequest: an impossible combination, or an id that cannot be one.
    """
    for name, reason in _REFUSED.items():
        if getattr(request, name) is not None:
            raise _unsupported(name, reason)
    if request.background:
        raise _unsupported("background", "leave it out and stream instead")
    if request.stream_options is not None and request.stream_options.include_obfuscation:
        raise _unsupported("stream_options.include_obfuscation", "set it to false")
    for number, word in enumerate(request.include or ()):
        if word not in _INCLUDED:
            raise _unsupported(f"include[{number}]", f"{word!r} belongs to what engines here do not do")
    _check_reasoning(request)
    if request.previous_response_id is not None and request.conversation is not None:
        raise BadRequest(
            "previous_response_id and conversation exclude each other; give one", param="previous_response_id"
        )
    for name, value in (
        ("previous_response_id", request.previous_response_id),
        ("conversation", request.conversation_id),
    ):
        if value is not None and not is_id(value):
            raise BadRequest(f"{name} is not an id", param=name)


def _check_reasoning(request: CreateResponse) -> None:
    if request.reasoning is None:
        return
    for name in ("summary", "generate_summary", "mode", "context"):
        if getattr(request.reasoning, name) is not None:
            raise _unsupported(f"reasoning.{name}", "only reasoning.effort can be passed on")


def write_chat(request: CreateResponse, messages: Sequence[Json]) -> Json:
    """Write the body of a chat that answers *request*; *messages* come from `primeur.archive.items.to_messages`.

    Raises:
        UnsupportedParameter, BadRequest: a tool, choice or format that no engine here can honour.
    """
    instructions = [{"role": "system", "content": request.instructions}] if request.instructions else []
    chat: Json = {"model": request.model, "messages": [*instructions, *messages]}
    chat |= {name: value for name in _PASSED if (value := getattr(request, name)) is not None}
    chat |= _tools(request)
    if request.max_output_tokens is not None:
        chat["max_completion_tokens"] = request.max_output_tokens
    if request.reasoning is not None and request.reasoning.effort is not None:
        chat["reasoning_effort"] = request.reasoning.effort
    if request.text is not None and request.text.verbosity is not None:
        chat["verbosity"] = request.text.verbosity
    if request.text is not None and request.text.format is not None and request.text.format.type != "text":
        chat["response_format"] = _format(request.text.format)
    if LOGPROBS in (request.include or ()) or request.top_logprobs:
        chat |= {"logprobs": True, "top_logprobs": request.top_logprobs or 0}
    if request.stream:
        chat |= {"stream": True, "stream_options": {"include_usage": True}}
    return chat


def _tools(request: CreateResponse) -> Json:
    tools = [_read_tool(tool, f"tools[{number}]") for number, tool in enumerate(request.tools or ())]
    choice, allowed = _read_choice(request.tool_choice)
    if allowed is not None:
        unknown = sorted(allowed - {tool.name for tool in tools})
        if unknown:
            raise BadRequest(f"tool_choice names {unknown[0]!r}, which is not among the tools", param="tool_choice")
        tools = [tool for tool in tools if tool.name in allowed]
    written: Json = {"tools": [_write_tool(tool) for tool in tools]} if tools else {}
    if choice is not None:
        written["tool_choice"] = choice
    return written


def _read_tool(tool: Json, at: str) -> _FunctionTool:
    kind = tool.get("type")
    if kind != "function":
        raise _unsupported(
            f"{at}.type", f"tools of type {kind!r} do not run here; give functions and run them yourself"
        )
    read = read_value(tool, _FunctionTool, at)
    for name in ("output_schema", "defer_loading", "allowed_callers"):
        if getattr(read, name):
            raise _unsupported(f"{at}.{name}", "no engine here knows it")
    read_value({"name": read.name}, Function, at)
    return read


def _write_tool(tool: _FunctionTool) -> Json:
    told = {"description": tool.description, "parameters": tool.parameters, "strict": tool.strict}
    return {
        "type": "function",
        "function": {"name": tool.name, **{name: value for name, value in told.items() if value is not None}},
    }


def _read_choice(choice: str | Json | None) -> tuple[Any, frozenset[str] | None]:
    """Give the chat's ``tool_choice`` and the names that tools are narrowed to; None where nothing is said."""
    if choice is None or choice in ("none", "auto", "required"):
        return choice, None
    kind = choice.get("type") if isinstance(choice, dict) else choice
    if kind == "function":
        named = read_value(choice, _NamedTool, "tool_choice")
        return {"type": "function", "function": {"name": named.name}}, None
    if kind == "allowed_tools":
        allowed = read_value(choice, _AllowedTools, "tool_choice")
        return allowed.mode, frozenset(tool.name for tool in allowed.tools)
    raise _unsupported("tool_choice", f"{kind!r} is not none, auto, required, a function or allowed_tools")


def _format(wanted: TextFormat) -> Json:
    if wanted.type == "json_object":
        return {"type": "json_object"}
    if wanted.name is None or wanted.schema is None:
        missing = "name" if wanted.name is None else "schema"
        raise BadRequest(f"text.format of type json_schema needs {missing}", param=f"text.format.{missing}")
    told = {"description": wanted.description, "strict": wanted.strict}
    schema = {"name": wanted.name, "schema": wanted.schema}
    return {
        "type": "json_schema",
        "json_schema": schema | {name: value for name, value in told.items() if value is not None},
    }


def blank_response(request: CreateResponse, response_id: str, created_ms: int) -> ResponseObject:
    """Give the response before its first word: what was asked, echoed, and no output."""
    reasoning = request.reasoning
    text = request.text
    wanted = msgspec.to_builtins(text.format) if text is not None and text.format is not None else {"type": "text"}
    conversation = request.conversation_id
    return ResponseObject(
        id=response_id,
        created_at=created_ms // 1000,
        status="in_progress",
        conversation={"id": conversation} if conversation is not None else None,
        instructions=request.instructions,
        max_output_tokens=request.max_output_tokens,
        metadata=request.metadata or {},
        model=request.model,
        output=[],
        parallel_tool_calls=request.parallel_tool_calls is not False,
        previous_response_id=request.previous_response_id,
        prompt_cache_key=request.prompt_cache_key,
        reasoning={"effort": reasoning.effort if reasoning else None, "summary": None},
        safety_identifier=request.safety_identifier,
        service_tier=request.service_tier,
        store=request.is_kept,
        temperature=request.temperature,
        text={"format": wanted, "verbosity": text.verbosity if text else None},
        tool_choice=request.tool_choice or "auto",
        tools=[{"description": None, "parameters": None, "strict": None, **tool} for tool in request.tools or ()],
        top_logprobs=request.top_logprobs,
        top_p=request.top_p,
        truncation=request.truncation or "disabled",
        user=request.user,
    )


def in_our_words(error: BadRequest) -> BadRequest:
    """Rename the chat's parameters in an error to those of the request it was made from."""
    if error.param is None:
        return error
    head, rest = error.param, ""
    for mark in ("[", "."):
        head, found, tail = head.partition(mark)
        rest = found + tail + rest
    name = _NAMES.get(head)
    if name is None:
        return error
    renamed = type(error)(error.message.replace(f"'{head}'", f"'{name}'"), param=name, code=error.code)
    return (
        renamed
        if rest == ""
        else type(error)(f"{renamed.message} (in {error.param} as sent on)", param=name, code=error.code)
    )


def _unsupported(name: str, reason: str) -> UnsupportedParameter:
    return UnsupportedParameter(f"{name!r} is not supported: {reason}", param=name)
