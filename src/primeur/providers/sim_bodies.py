"""The simulated provider's answers, written whole or as stream events; pure.

Source: Azure OpenAI's specifications 2024-10-21 and v1; its streams open with the prompt's verdict and no choices.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from primeur.core.chat import Route
from primeur.providers.sim_answers import PROMPT_VERDICT, SAFE_VERDICT
from primeur.providers.sim_wire import Choice, Plan

DONE = b"data: [DONE]\n\n"


def whole_answer(plan: Plan) -> bytes:
    """Write the answer of a request that does not stream."""
    if plan.route is Route.EMBEDDINGS:
        data = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(plan.vectors)]
        return msgspec.json.encode({"object": "list", "data": data, "model": plan.model, "usage": plan.usage})
    object_name = "chat.completion" if plan.route is Route.CHAT else "text_completion"
    choices = [_whole_choice(plan, index, choice) for index, choice in enumerate(plan.choices)]
    head = {"id": plan.id, "object": object_name, "created": plan.created_s, "model": plan.model}
    verdicts = [{"prompt_index": 0, "content_filter_results": PROMPT_VERDICT}]
    return msgspec.json.encode(head | {"choices": choices, "usage": plan.usage, "prompt_filter_results": verdicts})


def _whole_choice(plan: Plan, index: int, choice: Choice) -> dict[str, Any]:
    common = {"index": index, "finish_reason": choice.finish, "logprobs": None, "content_filter_results": SAFE_VERDICT}
    text = "".join(choice.pieces)
    if plan.route is Route.COMPLETIONS:
        return common | {"text": text}
    if choice.tool is None:
        return common | {"message": {"role": "assistant", "content": text, "refusal": None}}
    call = {"id": choice.call_id, "type": "function", "function": {"name": choice.tool, "arguments": text}}
    message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}
    return common | {"message": message, "content_filter_results": {}}


def stream_head(plan: Plan) -> bytes:
    """Write the events that come before the first token: the prompt's verdict, and each choice's role."""
    verdicts = [{"prompt_index": 0, "content_filter_results": PROMPT_VERDICT}]
    events = [{"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": verdicts}]
    if plan.route is Route.CHAT:
        events += [_event(plan, index, _opening(choice)) for index, choice in enumerate(plan.choices)]
    return b"".join(map(_sse, events))


def _opening(choice: Choice) -> dict[str, Any]:
    if choice.tool is None:
        return {"role": "assistant", "content": "", "refusal": None}
    call = {"index": 0, "id": choice.call_id, "type": "function", "function": {"name": choice.tool, "arguments": ""}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def stream_tokens(plan: Plan) -> Iterator[bytes]:
    """Write one event for each token, the choices taking turns."""
    longest = max((len(choice.pieces) for choice in plan.choices), default=0)
    frames = [_frame(plan, index, choice) for index, choice in enumerate(plan.choices)]
    for at in range(longest):
        for choice, (before, after) in zip(plan.choices, frames, strict=True):
            if at < len(choice.pieces):
                yield before + msgspec.json.encode(choice.pieces[at]) + after


def _frame(plan: Plan, index: int, choice: Choice) -> tuple[bytes, bytes]:
    # Everything but the piece itself is the same for all tokens of a choice, so it is written once.
    mark = "\u2400"
    delta: dict[str, Any] = {"content": mark}
    if choice.tool is not None:
        delta = {"tool_calls": [{"index": 0, "function": {"arguments": mark}}]}
    before, _, after = _sse(_event(plan, index, delta, mark)).partition(msgspec.json.encode(mark))
    return before, after


def stream_tail(plan: Plan) -> bytes:
    """Write the events after the last token: each choice's reason to finish, and usage when it was asked for."""
    events = [_event(plan, index, {}, "", choice.finish) for index, choice in enumerate(plan.choices)]
    if plan.wants_usage:
        events.append(_event(plan, 0, {}) | {"choices": [], "usage": plan.usage})
    return b"".join(map(_sse, events))


def _event(plan: Plan, index: int, delta: dict[str, Any], text: str = "", finish: str | None = None) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": index, "finish_reason": finish, "logprobs": None, "content_filter_results": {}}
    object_name = "text_completion"
    if plan.route is Route.CHAT:
        choice["delta"], object_name = delta, "chat.completion.chunk"
    else:
        choice["text"] = text
    head = {"id": plan.id, "object": object_name, "created": plan.created_s, "model": plan.model}
    # Only who asked for usage sees the field, null until the last chunk.
    return head | {"choices": [choice]} | ({"usage": None} if plan.wants_usage else {})


def _sse(event: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"
