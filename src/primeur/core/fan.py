"""One ask sent as several, one answer each, and merged; for targets that count only the first one's usage. Pure."""

from typing import Any

import msgspec

from primeur.core.chat import Json
from primeur.core.errors import BadRequest, TargetFailed
from primeur.core.reading import NOT_JSON
from primeur.core.sse import DONE, event_data, split_events
from primeur.core.wire import AnyRequest, CompletionRequest, Sampling

MAX_ANSWERS = 128
_PROMPT_SIDE = frozenset({"prompt_tokens", "prompt_tokens_details"})


def answers_of(fields: AnyRequest) -> int:
    """How many answers an ask wants: its prompts times ``n``."""
    return len(_prompts(fields)) * (fields.n or 1) if isinstance(fields, Sampling) else 1


def _prompts(fields: Sampling) -> list[Any]:
    prompt = fields.prompt if isinstance(fields, CompletionRequest) else None
    if isinstance(prompt, list) and not isinstance(prompt[0], int):
        return list(prompt)
    return [prompt]


def split_body(body: bytes, fields: AnyRequest) -> list[bytes]:
    """Write one body for each answer; a seed is moved on by one for each answer to the same prompt.

    Args:
        body: what would be sent as one; its prompts and ``n`` are as many as those of *fields*.

    Raises:
        BadRequest: more than 128 answers.
    """
    count = answers_of(fields)
    if count > MAX_ANSWERS or not isinstance(fields, Sampling):
        raise BadRequest(f"{count} answers were asked for; at most {MAX_ANSWERS} are given to one request", param="n")
    data = msgspec.json.decode(body)
    data.pop("n", None)
    prompts = data["prompt"] if len(_prompts(fields)) > 1 else [data.get("prompt")]
    bodies: list[bytes] = []
    for prompt in prompts:
        for place in range(fields.n or 1):
            seed = {"seed": fields.seed + place} if fields.seed is not None else {}
            asked = {"prompt": prompt} if prompt is not None else {}
            bodies.append(msgspec.json.encode({**data, **asked, **seed}))
    return bodies


def merge_answers(answers: list[Json], per_prompt: int) -> Json:
    """Put whole answers together: choices in order, usage added up, each prompt counted once.

    Args:
        per_prompt: answers to each prompt, which follow each other.

    Raises:
        TargetFailed: an answer has no choices.
    """
    choices: list[Json] = []
    for place, answer in enumerate(answers):
        given = answer.get("choices")
        if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], dict):
            raise TargetFailed("the target gave more or less than the one answer that it was asked for")
        choices.append({**given[0], "index": place})
    usage = add_usage([answer.get("usage") for answer in answers], per_prompt)
    return {**answers[0], "choices": choices, **({"usage": usage} if usage else {})}


def add_usage(blocks: list[Any], per_prompt: int) -> Json | None:
    """Add usage blocks up, counting each prompt once; None when a block is missing."""
    if not all(isinstance(block, dict) for block in blocks):
        return None
    total: Json = {}
    for place, block in enumerate(blocks):
        first = place % per_prompt == 0
        _add(total, {key: value for key, value in block.items() if first or key not in _PROMPT_SIDE})
    total["total_tokens"] = total.get("prompt_tokens", 0) + total.get("completion_tokens", 0)
    return total


def _add(total: Json, block: Json) -> None:
    for key, value in block.items():
        if isinstance(value, dict):
            _add(total.setdefault(key, {}), value)
        elif isinstance(value, int):
            total[key] = total.get(key, 0) + value


class StreamMerge:
    """Puts streams together, event by event: one id, one usage chunk at the end, one ``[DONE]``."""

    def __init__(self, count: int, per_prompt: int) -> None:
        """*count* streams, *per_prompt* of them to each prompt."""
        self._per_prompt = per_prompt
        self._usage: list[Any] = [None] * count
        self._around: Json = {}

    def take(self, place: int, block: bytes) -> bytes:
        """Take whole events of the stream at *place*; gives what goes on.

        Raises:
            TargetFailed: an event is not a JSON object.
        """
        return b"".join(self._one(place, event_data(event)) for event in split_events(block))

    def _one(self, place: int, data: bytes) -> bytes:
        if not data or data == b"[DONE]":
            return b""
        try:
            chunk = msgspec.json.decode(data, type=dict[str, Any])
        except NOT_JSON as error:
            raise TargetFailed(f"the target sent an event that cannot be read: {error}") from None
        if not self._around:
            self._around = {key: value for key, value in chunk.items() if key not in {"choices", "usage", "timings"}}
        self._usage[place] = chunk.pop("usage", None) or self._usage[place]
        if not chunk.get("choices") and "error" not in chunk:
            return b""
        choices = [{**choice, "index": place} for choice in chunk.get("choices", [])]
        return _event({**chunk, **self._around, "choices": choices} if choices else chunk)

    def end(self) -> bytes:
        """The usage chunk and ``[DONE]``."""
        usage = add_usage(self._usage, self._per_prompt)
        return (_event({**self._around, "choices": [], "usage": usage}) if usage else b"") + DONE


def _event(data: Json) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"
