"""Between Anthropic's Messages and OpenAI's chat, request and whole answer; pure.

What one wire says and the other cannot is refused by name. Three things are told in other words: a failed tool's result
begins with ``Error: `` (OpenAI's wire has no flag for it), several texts of one turn are joined by a line feed, and a
stop sequence is told as ``end_turn`` unless the target says which one it met.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from primeur.core.chat import Json
from primeur.core.errors import BadRequest, TargetFailed, UnsupportedParameter
from primeur.core.reading import NOT_JSON
from primeur.gateway.anthropic_wire import (
    Base64Source,
    ImagePart,
    MessageParam,
    MessagesRequest,
    Part,
    TextPart,
    ToolChoice,
    ToolParam,
    ToolResultPart,
    ToolUsePart,
    refuse_unsupported,
)

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
# How a fault in the chat is named to a caller who never wrote one.
_NAMES = {
    "max_completion_tokens": "max_tokens",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "reasoning_effort": "output_config.effort",
    "response_format": "output_config.format",
    "stop": "stop_sequences",
    "stream_options": "stream",
    "user": "metadata.user_id",
}
_CHOICES: dict[str, Any] = {"auto": "auto", "any": "required", "none": "none"}


def to_chat(request: MessagesRequest) -> Json:
    """Write *request* as the body of an OpenAI chat.

    Raises:
        UnsupportedParameter, BadRequest: names the part that cannot be said.
    """
    refuse_unsupported(request)
    body: Json = {"model": request.model, "max_tokens": request.max_tokens, "messages": _messages(request)}
    for theirs, ours in (("temperature",) * 2, ("top_p",) * 2, ("top_k",) * 2, ("stop_sequences", "stop")):
        if getattr(request, theirs) is not None:
            body[ours] = getattr(request, theirs)
    if request.metadata is not None and request.metadata.user_id is not None:
        body["user"] = request.metadata.user_id
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body | _tools(request.tools, request.tool_choice) | _output(request)


def _tools(tools: Sequence[ToolParam] | None, choice: ToolChoice | None) -> Json:
    body: Json = {}
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
    if choice is None:
        return body
    if not tools and choice.type != "none":
        raise BadRequest("tool_choice needs tools to choose from", param="tool_choice")
    if choice.disable_parallel_tool_use:
        body["parallel_tool_calls"] = False
    if tools:
        named = {"type": "function", "function": {"name": choice.name}}
        body["tool_choice"] = named if choice.type == "tool" else _CHOICES[choice.type]
    return body


def _tool(tool: ToolParam) -> Json:
    function: Json = {"name": tool.name, "parameters": tool.input_schema}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _output(request: MessagesRequest) -> Json:
    body: Json = {}
    config = request.output_config
    if config is not None and config.effort is not None:
        body["reasoning_effort"] = config.effort
    if config is not None and config.format is not None:
        schema = {"name": "answer", "schema": config.format.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _messages(request: MessagesRequest) -> list[Json]:
    messages: list[Json] = []
    if request.system:
        messages.append({"role": "system", "content": _joined(request.system)})
    called: set[str] = set()
    for index, message in enumerate(request.messages):
        messages += _turn(message, f"messages[{index}]", called)
    return messages


def _turn(message: MessageParam, where: str, called: set[str]) -> list[Json]:
    parts: Sequence[Part] = [TextPart(text=message.content)] if isinstance(message.content, str) else message.content
    _check_order(message.role, parts, where, called)
    if message.role == "assistant":
        return [_assistant(parts)]
    spoken = [part for part in parts if not isinstance(part, ToolResultPart)]
    results = [_result(part, where) for part in parts if isinstance(part, ToolResultPart)]
    return results + ([{"role": message.role, "content": _content(spoken)}] if spoken or not results else [])


def _check_order(role: str, parts: Sequence[Part], where: str, called: set[str]) -> None:
    spoken = False
    for index, part in enumerate(parts):
        at = f"{where}.content[{index}]"
        allowed = {"assistant": (TextPart, ToolUsePart), "system": (TextPart,)}.get(
            role, (TextPart, ImagePart, ToolResultPart)
        )
        if not isinstance(part, allowed):
            raise BadRequest(f"{at}: a turn of the {role} has no such block", param=at)
        if isinstance(part, ToolUsePart):
            called.add(part.id)
        elif isinstance(part, ToolResultPart):
            _check_result(part, at, called, spoken=spoken)
        else:
            spoken = True


def _check_result(part: ToolResultPart, at: str, called: set[str], *, spoken: bool) -> None:
    if spoken:
        raise BadRequest(f"{at}: tool_result blocks come first in a turn", param=at)
    if part.tool_use_id not in called:
        message = f"{at}.tool_use_id: no tool_use block before it has the id {part.tool_use_id!r}"
        raise BadRequest(message, param=f"{at}.tool_use_id")


def _assistant(parts: Sequence[Part]) -> Json:
    calls = [
        {
            "id": part.id,
            "type": "function",
            "function": {"name": part.name, "arguments": msgspec.json.encode(part.input).decode()},
        }
        for part in parts
        if isinstance(part, ToolUsePart)
    ]
    text = "\n".join(part.text for part in parts if isinstance(part, TextPart))
    message: Json = {"role": "assistant", "content": text or (None if calls else "")}
    return message | ({"tool_calls": calls} if calls else {})


def _result(part: ToolResultPart, where: str) -> Json:
    if not isinstance(part.content, str) and any(isinstance(one, ImagePart) for one in part.content):
        message = f"{where}: images in a tool_result are not supported; send them in the user's own turn"
        raise UnsupportedParameter(message, param=where)
    texts = (
        part.content if isinstance(part.content, str) else [one for one in part.content if isinstance(one, TextPart)]
    )
    text = _joined(texts)
    return {"role": "tool", "tool_call_id": part.tool_use_id, "content": f"Error: {text}" if part.is_error else text}


def _joined(content: str | Sequence[TextPart]) -> str:
    return content if isinstance(content, str) else "\n".join(part.text for part in content)


def _content(parts: Sequence[Part]) -> str | list[Json]:
    texts = [part for part in parts if isinstance(part, TextPart)]
    if len(texts) == len(parts):
        return _joined(texts)
    return [_part(part) for part in parts if isinstance(part, TextPart | ImagePart)]


def _part(part: TextPart | ImagePart) -> Json:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    source = part.source
    url = f"data:{source.media_type};base64,{source.data}" if isinstance(source, Base64Source) else source.url
    return {"type": "image_url", "image_url": {"url": url}}


def to_message(answer: Json, message_id: str, model: str) -> Json:
    """Write OpenAI's whole answer as an Anthropic message; what Primeur adds stays under ``primeur``.

    Raises:
        TargetFailed: no choice, or a tool call whose arguments are not a JSON object.
    """
    try:
        choice = answer["choices"][0]
        said = choice["message"]
        finish = choice.get("finish_reason")
    except (KeyError, IndexError, TypeError):
        raise TargetFailed("the target's answer has no choice with a message") from None
    text = said.get("content") or said.get("refusal")
    content: list[Json] = [{"type": "text", "text": text, "citations": None}] if text else []
    content += [_call(call) for call in said.get("tool_calls") or ()]
    reason, sequence = stop_reason(finish, choice.get("stop_reason"), called=bool(said.get("tool_calls")))
    message = message_head(message_id, model, to_usage(answer.get("usage")))
    message |= {"content": content, "stop_reason": reason, "stop_sequence": sequence}
    return message | ({"primeur": answer["primeur"]} if "primeur" in answer else {})


def _call(call: Json) -> Json:
    function = call.get("function") or {}
    try:
        given = msgspec.json.decode(function.get("arguments") or "{}")
    except NOT_JSON:
        given = None
    if not isinstance(given, dict):
        raise TargetFailed(f"the arguments of the tool call {function.get('name')!r} are not a JSON object")
    return {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": given}


def message_head(message_id: str, model: str, usage: Json) -> Json:
    """Write a message without content, as a stream begins with it."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def stop_reason(finish: str | None, met: Any, *, called: bool) -> tuple[str, str | None]:
    """Give Anthropic's reason, and the stop sequence where the target says which one it *met* (vLLM does)."""
    if finish == "stop" and isinstance(met, str) and met:
        return "stop_sequence", met
    if finish == "stop" and called:
        return "tool_use", None
    return _STOP_REASONS.get(finish or "stop", "end_turn"), None


def to_usage(usage: Json | None) -> Json:
    """Write OpenAI's usage block as Anthropic's, where cached tokens are no part of the input."""
    given = usage or {}
    cached = (given.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return {
        "input_tokens": max(0, (given.get("prompt_tokens") or 0) - cached),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": given.get("completion_tokens") or 0,
    }


def in_their_words(error: BadRequest) -> BadRequest:
    """Rename the chat's parameter in an error to that of the request it was made from."""
    ours = (error.param or "").partition("[")[0].partition(".")[0]
    theirs = _NAMES.get(ours)
    if theirs is None:
        return error
    return type(error)(error.message.replace(f"'{ours}'", f"'{theirs}'"), param=theirs, code=error.code)
