"""Items of responses and conversations: read from callers, and turned into the messages of a chat; pure.

Source: OpenAI API 2.3.0, ``InputItem``, ``ConversationItem`` and ``ChatCompletionRequestMessage``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from primeur.archive.wire import Json
from primeur.core.errors import BadRequest, UnsupportedParameter
from primeur.core.reading import is_id, read_value

NewId = Callable[[str], str]
Status = Literal["in_progress", "completed", "incomplete"]


class _Message(msgspec.Struct):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Json]
    status: Status | None = None
    phase: str | None = None


class _Said(msgspec.Struct):
    text: str
    annotations: list[Json] | None = None
    logprobs: list[Json] | None = None


class _Picture(msgspec.Struct):
    image_url: str
    detail: Literal["low", "high", "auto", "original"] | None = None


class _Call(msgspec.Struct):
    call_id: str
    name: str
    arguments: str
    status: Status | None = None
    namespace: str | None = None


class _CallOutput(msgspec.Struct):
    call_id: str
    output: str | list[Json]
    status: Status | None = None
    namespace: str | None = None


class _Reasoning(msgspec.Struct):
    summary: list[Json] = []
    content: list[Json] | None = None
    encrypted_content: str | None = None


_PREFIXES = {
    "message": "message",
    "function_call": "call",
    "function_call_output": "call_output",
    "reasoning": "reasoning",
}


def read_items(
    given: str | Sequence[Json] | None, new_id: NewId, referred: Mapping[str, Json], at: str = "input"
) -> list[Json]:
    """Read what a caller gave as input into items as they are stored and listed.

    Args:
        new_id: makes the id of an item that came without one, from a name in `primeur.core.ids.type_prefixes`.
        referred: items that ``item_reference`` may name, by id; see `references`.
        at: path of the items in the body.

    Raises:
        BadRequest: an item is malformed or refers to nothing; *param* is its path.
        UnsupportedParameter: an item or part of a kind that no engine here reads.
    """
    if given is None:
        return []
    if isinstance(given, str):
        return [_read_item({"role": "user", "content": given}, new_id, {}, at)]
    return [_read_item(item, new_id, referred, f"{at}[{number}]") for number, item in enumerate(given)]


def references(given: str | Sequence[Json] | None) -> list[str]:
    """Give the ids that *given* refers to."""
    if given is None or isinstance(given, str):
        return []
    found = (str(item.get("id")) for item in given if _kind(item) == "item_reference")
    return [item_id for item_id in found if is_id(item_id)]


def _kind(item: Json) -> str:
    kind = item.get("type")
    if kind is None:
        return "message" if "role" in item else "item_reference"
    return str(kind)


def _read_item(item: Json, new_id: NewId, referred: Mapping[str, Json], at: str) -> Json:
    kind = _kind(item)
    if kind == "item_reference":
        found = referred.get(str(item.get("id")))
        if found is None:
            raise BadRequest(f"there is no stored item {item.get('id')!r}; send the item itself", param=f"{at}.id")
        return found
    reader = _READERS.get(kind)
    if reader is None:
        raise UnsupportedParameter(f"items of type {kind!r} are not supported; leave {at} out", param=f"{at}.type")
    item_id = item.get("id")
    if item_id is not None and not is_id(str(item_id)):
        raise BadRequest(f"{at}.id is not an id; leave it out", param=f"{at}.id")
    return {"id": item_id or new_id(_PREFIXES[kind]), "type": kind, **reader(item, at)}


def _read_message(item: Json, at: str) -> Json:
    message = read_value(item, _Message, at)
    own = message.role == "assistant"
    if isinstance(message.content, str):
        parts = [_output_text(message.content) if own else {"type": "input_text", "text": message.content}]
    else:
        parts = [_read_part(part, f"{at}.content[{number}]", own=own) for number, part in enumerate(message.content)]
    phase = {"phase": message.phase} if message.phase else {}
    return {"status": message.status or "completed", "role": message.role, "content": parts, **phase}


def _read_call(item: Json, at: str) -> Json:
    call = read_value(item, _Call, at)
    _refuse(call.namespace, f"{at}.namespace", "functions have no namespaces here")
    return {
        "status": call.status or "completed",
        "call_id": call.call_id,
        "name": call.name,
        "arguments": call.arguments,
    }


def _read_output(item: Json, at: str) -> Json:
    output = read_value(item, _CallOutput, at)
    _refuse(output.namespace, f"{at}.namespace", "functions have no namespaces here")
    if isinstance(output.output, list):
        for number, part in enumerate(output.output):
            if part.get("type") == "input_image":
                raise UnsupportedParameter("pictures from functions are not supported", param=f"{at}.output[{number}]")
            _read_part(part, f"{at}.output[{number}]", own=False)
    return {"status": output.status or "completed", "call_id": output.call_id, "output": output.output}


def _read_reasoning(item: Json, at: str) -> Json:
    reasoning = read_value(item, _Reasoning, at)
    _refuse(reasoning.encrypted_content, f"{at}.encrypted_content", "no engine here can read it")
    content = {"content": reasoning.content} if reasoning.content else {}
    return {"summary": reasoning.summary, **content}


_READERS: dict[str, Callable[[Json, str], Json]] = {
    "message": _read_message,
    "function_call": _read_call,
    "function_call_output": _read_output,
    "reasoning": _read_reasoning,
}


def _read_part(part: Json, at: str, *, own: bool) -> Json:
    kind = str(part.get("type"))
    _refuse(
        part.get("prompt_cache_breakpoint"), f"{at}.prompt_cache_breakpoint", "engines here find prefixes themselves"
    )
    if kind == "input_text" or (kind == "text" and not own):
        return {"type": "input_text", "text": _text_of(part, "text", at)}
    if own and kind in {"output_text", "text"}:
        said = read_value(part, _Said, at)
        return _output_text(said.text, said.annotations, said.logprobs)
    if own and kind == "refusal":
        return {"type": "refusal", "refusal": _text_of(part, "refusal", at)}
    if kind == "input_image" and not own:
        _refuse(part.get("file_id"), f"{at}.file_id", "send the picture as a data URL in image_url")
        picture = read_value(part, _Picture, at)
        return {"type": "input_image", "image_url": picture.image_url, "detail": picture.detail or "auto"}
    raise UnsupportedParameter(f"content of type {kind!r} is not supported here; leave {at} out", param=f"{at}.type")


def _output_text(text: str, annotations: list[Json] | None = None, logprobs: list[Json] | None = None) -> Json:
    return {"type": "output_text", "text": text, "annotations": annotations or [], "logprobs": logprobs or []}


def _text_of(part: Json, name: str, at: str) -> str:
    text = part.get(name)
    if not isinstance(text, str):
        raise BadRequest(f"{at}.{name} must be text", param=f"{at}.{name}", code="invalid_type")
    return text


def _refuse(value: Any, param: str, reason: str) -> None:
    if value is not None:
        raise UnsupportedParameter(f"{param!r} is not supported: {reason}", param=param)


def to_messages(items: Sequence[Json]) -> list[Json]:
    """Write items as the messages of a chat.

    Calls of functions that follow one another, or the words before them, are one message, as the model made them.
    What a model reasoned in earlier turns is not shown to it again.
    """
    messages: list[Json] = []
    for item in items:
        kind = item["type"]
        if kind == "message":
            messages.append({"role": item["role"], "content": _chat_content(item["content"])})
        elif kind == "function_call":
            _caller_of(messages).append(
                {
                    "id": item["call_id"],
                    "type": "function",
                    "function": {"name": item["name"], "arguments": item["arguments"]},
                }
            )
        elif kind == "function_call_output":
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": _chat_output(item["output"])})
    return messages


def _caller_of(messages: list[Json]) -> list[Json]:
    """Give the list of calls that the next call belongs to."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": None})
    calls: list[Json] = messages[-1].setdefault("tool_calls", [])
    return calls


def _chat_content(parts: Sequence[Json]) -> str | list[Json]:
    if len(parts) == 1 and "text" in parts[0]:
        return str(parts[0]["text"])
    return [_chat_part(part) for part in parts]


def _chat_output(output: str | Sequence[Json]) -> str | list[Json]:
    return output if isinstance(output, str) else _chat_content(output)


def _chat_part(part: Json) -> Json:
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    if part["type"] == "refusal":
        return part
    return {"type": "image_url", "image_url": {"url": part["image_url"], "detail": part.get("detail") or "auto"}}


def without_oldest(messages: Sequence[Json]) -> list[Json] | None:
    """Drop the oldest quarter of a chat that is too long; None when nothing can be dropped.

    What stands before everything else (instructions) and the last message stay; an answer of a function whose call was
    dropped goes with it.
    """
    start = next(
        (n for n, message in enumerate(messages) if message["role"] not in {"system", "developer"}), len(messages)
    )
    rest = list(messages[start:])
    if len(rest) < 2:
        return None
    rest = rest[max(1, len(rest) // 4) :]
    while len(rest) > 1 and rest[0]["role"] == "tool":
        rest = rest[1:]
    return [*messages[:start], *rest]
