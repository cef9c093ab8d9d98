"""OpenAI's stream of chunks as Anthropic's stream of events; pure.

Source: Anthropic API reference, "Streaming messages": ``message_start``, blocks one after the other, ``message_delta``
with the whole usage, ``message_stop``; ``ping`` anywhere; ``error`` in place of the rest.
"""

from typing import Any

import msgspec

from primeur.core.chat import Json
from primeur.core.errors import TargetFailed
from primeur.core.sse import event_data, split_events
from primeur.gateway.anthropic_translation import message_head, stop_reason, to_usage

_ERROR_TYPES = {"upstream_busy": "overloaded_error", "upstream_timeout": "timeout_error"}


class MessageStream:
    """Turns blocks of OpenAI's events into Anthropic's; one for each answer."""

    def __init__(self, message_id: str, model: str) -> None:
        """*model*: as the caller named it."""
        self._id = message_id
        self._model = model
        self._started = False
        self._open: str | int | None = None
        self._index = -1
        self._seen: set[int] = set()
        self._finish: str | None = None
        self._met: Any = None
        self._usage: Json | None = None
        self._account: Json | None = None
        self._ended = False

    def feed(self, block: bytes) -> bytes:
        """Give the events that *block* (whole OpenAI events) turns into.

        Raises:
            TargetFailed: a tool call goes on after another was begun.
        """
        events: list[Json] = []
        for event in split_events(block):
            data = event_data(event)
            if data and not self._ended:
                events += self._end() if data == b"[DONE]" else self._chunk(msgspec.json.decode(data))
        return b"".join(map(write_event, events))

    def _chunk(self, chunk: Json) -> list[Json]:
        if chunk.get("error") is not None:
            self._ended = True
            return [_error(chunk["error"])]
        self._usage = chunk.get("usage") or self._usage
        self._account = chunk.get("primeur") or self._account
        events = self._start()
        for choice in chunk.get("choices") or ():
            events += self._delta(choice.get("delta") or {})
            self._finish = choice.get("finish_reason") or self._finish
            self._met = choice.get("stop_reason") or self._met
        return events

    def _start(self) -> list[Json]:
        if self._started:
            return []
        self._started = True
        # The target tells its usage at the end; message_delta brings the true figures.
        head = message_head(self._id, self._model, to_usage(None))
        return [{"type": "message_start", "message": head}, {"type": "ping"}]

    def _delta(self, delta: Json) -> list[Json]:
        events: list[Json] = []
        text = delta.get("content") or delta.get("refusal")
        if text:
            events += self._begin("text", {"type": "text", "text": "", "citations": None})
            events.append(self._piece({"type": "text_delta", "text": text}))
        for call in delta.get("tool_calls") or ():
            events += self._call(call)
        return events

    def _call(self, call: Json) -> list[Json]:
        position, function = call.get("index") or 0, call.get("function") or {}
        if position in self._seen and self._open != position:
            raise TargetFailed("the target went back to a tool call after it had begun another")
        self._seen.add(position)
        identity = call.get("id") or f"toolu_{self._id}_{position}"
        block: Json = {"type": "tool_use", "id": identity, "name": function.get("name"), "input": {}}
        events = self._begin(position, block)
        if function.get("arguments"):
            events.append(self._piece({"type": "input_json_delta", "partial_json": function["arguments"]}))
        return events

    def _begin(self, key: str | int, block: Json) -> list[Json]:
        if self._open == key:
            return []
        events = self._close()
        self._open = key
        self._index += 1
        return [*events, {"type": "content_block_start", "index": self._index, "content_block": block}]

    def _piece(self, delta: Json) -> Json:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _close(self) -> list[Json]:
        if self._open is None:
            return []
        self._open = None
        return [{"type": "content_block_stop", "index": self._index}]

    def _end(self) -> list[Json]:
        self._ended = True
        reason, sequence = stop_reason(self._finish, self._met, called=bool(self._seen))
        delta = {"stop_reason": reason, "stop_sequence": sequence}
        last: Json = {"type": "message_delta", "delta": delta, "usage": to_usage(self._usage)}
        if self._account is not None:
            last["primeur"] = self._account
        return [*self._start(), *self._close(), last, {"type": "message_stop"}]


def _error(error: Any) -> Json:
    said = error if isinstance(error, dict) else {"message": str(error)}
    kind = _ERROR_TYPES.get(str(said.get("code")), "api_error")
    return {"type": "error", "error": {"type": kind, "message": str(said.get("message") or "the answer broke off")}}


def write_event(event: Json) -> bytes:
    """Write one server-sent event under its name."""
    return b"event: " + str(event["type"]).encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"
