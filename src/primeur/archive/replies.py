"""A chat's answer, whole or in chunks, told as a response and its events; pure.

Source: OpenAI API 2.3.0, ``ResponseStreamEvent``; "Streaming API responses".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from primeur.archive.items import NewId
from primeur.archive.response_wire import ResponseObject
from primeur.archive.wire import Json
from primeur.core.errors import PrimeurError, TargetFailed

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}

# The part's type, and the middle of its events' names.
_TEXT = ("output_text", "text", "output_text")
_REFUSAL = ("refusal", "refusal", "refusal")
_REASONING = ("reasoning_text", "text", "reasoning_text")


@dataclass(slots=True)
class _Open:
    """The item that is being written; text is kept in pieces until it is done.

    Attributes:
        part: of a message or of reasoning, the part that is being written.
        key: of a call, the number the chat gives it.
    """

    item: Json
    index: int
    part: Json | None = None
    kind: tuple[str, str, str] = _TEXT
    key: int | None = None
    pieces: list[str] = field(default_factory=list)
    logprobs: list[Json] = field(default_factory=list)


class ResponseWriter:
    """Writes one response while its answer arrives.

    Call `begin`, then `take` for every object of the chat's answer, then `finish` or `fail`; the last event is
    `last_event`, to be sent when the response is stored.

    Attributes:
        response: as it stands.
    """

    def __init__(self, response: ResponseObject, new_id: NewId) -> None:
        """*response*: as `primeur.archive.asks.blank_response` gives it."""
        self.response = response
        self._new_id = new_id
        self._open: _Open | None = None
        self._finish_reason: str | None = None
        self._calls_closed: set[int] = set()
        self._sequence = 0

    def begin(self) -> list[Json]:
        """Give the events that open a stream."""
        return [self._told("response.created"), self._told("response.in_progress")]

    def take(self, chunk: Json) -> list[Json]:
        """Read one object of the chat's answer, a whole one or a chunk, and give its events.

        Raises:
            TargetFailed: the answer is not a chat's, or tells of an error.
        """
        if chunk.get("error") is not None:
            fault = chunk["error"]
            words = fault.get("message") if isinstance(fault, dict) else fault
            raise TargetFailed(str(words), code=str(fault.get("code") or "") if isinstance(fault, dict) else None)
        if isinstance(chunk.get("usage"), dict):
            self.response.usage = read_usage(chunk["usage"])
        if isinstance(chunk.get("primeur"), dict):
            self.response.primeur = chunk["primeur"]
        if chunk.get("service_tier") is not None:
            self.response.service_tier = str(chunk["service_tier"])
        choices = chunk.get("choices") or ()
        try:
            return [event for choice in choices for event in self._take_choice(choice)]
        except (KeyError, TypeError, AttributeError) as error:
            raise TargetFailed(f"the target's answer is not a chat's: {error!r}") from None

    def finish(self, now_ms: int) -> list[Json]:
        """Close what is open and settle the response's state; *now_ms*: UTC milliseconds."""
        events = [] if self._open or self.response.output else self._enter_part(_TEXT)
        reason = _INCOMPLETE.get(self._finish_reason or "")
        events += self._close("incomplete" if reason else "completed")
        if reason:
            self.response.status = "incomplete"
            self.response.incomplete_details = {"reason": reason}
        else:
            self.response.status = "completed"
            self.response.completed_at = now_ms // 1000
        return events

    def fail(self, error: PrimeurError) -> list[Json]:
        """Close what is open as incomplete and note why the answer broke off."""
        events = self._close("incomplete")
        code = "rate_limit_exceeded" if error.code in {"rate_limit_exceeded", "upstream_busy"} else "server_error"
        self.response.status = "failed"
        self.response.error = {"code": code, "message": error.message}
        return events

    def last_event(self) -> Json:
        """Give the event that ends the stream: ``response.completed``, ``.incomplete`` or ``.failed``."""
        return self._told(f"response.{self.response.status}")

    def broken(self, error: PrimeurError) -> Json:
        """Give the event ``error``, for a fault that is not the answer's: the response could not be stored, say."""
        return self._event("error", {"code": error.code, "message": error.message, "param": error.param})

    # --- one choice of the chat -----------------------------------------------------------------------------------

    def _take_choice(self, choice: Json) -> list[Json]:
        if choice.get("index", 0) != 0:
            raise TargetFailed("the target gave several answers where one was asked for")
        said = choice.get("delta") or choice.get("message") or {}
        logprobs = _logprobs((choice.get("logprobs") or {}).get("content"))
        events = self._write(_REASONING, said.get("reasoning_content") or said.get("reasoning"), [])
        events += self._write(_TEXT, said.get("content"), logprobs)
        events += self._write(_REFUSAL, said.get("refusal"), [])
        for number, call in enumerate(said.get("tool_calls") or ()):
            events += self._take_call(call, call.get("index", number))
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        return events

    def _write(self, kind: tuple[str, str, str], delta: str | None, logprobs: list[Json]) -> list[Json]:
        if not delta:
            return []
        if not isinstance(delta, str):
            raise TargetFailed(f"the target's {kind[1]} is not text")
        events = self._enter_part(kind)
        held = self._held()
        held.pieces.append(delta)
        held.logprobs += logprobs
        told: Json = {"content_index": self._content_index(), "delta": delta}
        if kind is _TEXT:
            told["logprobs"] = logprobs
        return [*events, self._of_item(f"response.{kind[2]}.delta", told)]

    def _take_call(self, call: Json, key: int) -> list[Json]:
        events: list[Json] = []
        function = call.get("function") or {}
        if self._open is None or self._open.key != key:
            if key in self._calls_closed:
                raise TargetFailed("the target went back to a call that it had finished")
            item = {"arguments": "", "call_id": call["id"], "name": function["name"]}
            events += self._enter_item("call", {"type": "function_call", "status": "in_progress", **item})
            self._held().key = key
        delta = function.get("arguments") or ""
        if delta:
            self._held().pieces.append(delta)
            events.append(self._of_item("response.function_call_arguments.delta", {"delta": delta}))
        return events

    # --- items ----------------------------------------------------------------------------------------------------

    def _enter_item(self, name: str, item: Json) -> list[Json]:
        events = self._close("completed")
        item = {"id": self._new_id(name), **item}
        self._open = _Open(item, len(self.response.output))
        self.response.output.append(item)
        return [*events, self._of_output("response.output_item.added", item)]

    def _enter_part(self, kind: tuple[str, str, str]) -> list[Json]:
        """Make sure that a part of *kind* is open in an item that can have one."""
        reasons = kind is _REASONING
        events: list[Json] = []
        if self._open is None or self._open.item["type"] != ("reasoning" if reasons else "message"):
            blank: Json = {"type": "reasoning", "summary": []} if reasons else {"type": "message", "role": "assistant"}
            name = "reasoning" if reasons else "message"
            events += self._enter_item(name, {**blank, "status": "in_progress", "content": []})
        held = self._held()
        if held.part is not None and held.kind is kind:
            return events
        events += self._close_part()
        part: Json = {"type": kind[0], kind[1]: ""}
        if kind is _TEXT:
            part |= {"annotations": [], "logprobs": []}
        held.item["content"].append(part)
        held.part, held.kind = part, kind
        added = {"content_index": self._content_index(), "part": dict(part)}
        return [*events, self._of_item("response.content_part.added", added)]

    def _close_part(self) -> list[Json]:
        held = self._open
        if held is None or held.part is None:
            return []
        text = "".join(held.pieces)
        held.part[held.kind[1]] = text
        done: Json = {"content_index": self._content_index(), held.kind[1]: text}
        if held.kind is _TEXT:
            held.part["logprobs"] = done["logprobs"] = held.logprobs
        ended = {"content_index": self._content_index(), "part": dict(held.part)}
        events = [
            self._of_item(f"response.{held.kind[2]}.done", done),
            self._of_item("response.content_part.done", ended),
        ]
        held.part, held.pieces, held.logprobs = None, [], []
        return events

    def _close(self, status: str) -> list[Json]:
        held = self._open
        if held is None:
            return []
        events = self._close_part()
        if held.key is not None:
            held.item["arguments"] = "".join(held.pieces)
            self._calls_closed.add(held.key)
            done = {"name": held.item["name"], "arguments": held.item["arguments"]}
            events.append(self._of_item("response.function_call_arguments.done", done))
        held.item["status"] = status
        events.append(self._of_output("response.output_item.done", held.item))
        self._open = None
        return events

    def _held(self) -> _Open:
        assert self._open is not None  # noqa: S101
        return self._open

    def _content_index(self) -> int:
        return len(self._held().item["content"]) - 1

    # --- events ---------------------------------------------------------------------------------------------------

    def _told(self, kind: str) -> Json:
        return self._event(kind, {"response": msgspec.to_builtins(self.response)})

    def _of_output(self, kind: str, item: Json) -> Json:
        copy = {**item, "content": [dict(part) for part in item["content"]]} if "content" in item else dict(item)
        return self._event(kind, {"output_index": self._held().index, "item": copy})

    def _of_item(self, kind: str, rest: Json) -> Json:
        held = self._held()
        return self._event(kind, {"item_id": held.item["id"], "output_index": held.index, **rest})

    def _event(self, kind: str, rest: Json) -> Json:
        event = {"type": kind, "sequence_number": self._sequence, **rest}
        self._sequence += 1
        return event


def read_usage(usage: Json) -> Json:
    """Give a chat's usage block in the words of a response."""
    into = usage.get("prompt_tokens_details") or {}
    out = usage.get("completion_tokens_details") or {}
    given, made = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return {
        "input_tokens": given,
        "input_tokens_details": {
            "cached_tokens": into.get("cached_tokens") or 0,
            "cache_write_tokens": into.get("cache_write_tokens") or 0,
        },
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": out.get("reasoning_tokens") or 0},
        "total_tokens": usage.get("total_tokens") or given + made,
    }


def _logprobs(content: Sequence[Json] | None) -> list[Json]:
    return [
        {
            "token": entry["token"],
            "logprob": entry["logprob"],
            "bytes": entry.get("bytes") or list(str(entry["token"]).encode()),
            "top_logprobs": [
                {
                    "token": top["token"],
                    "logprob": top["logprob"],
                    "bytes": top.get("bytes") or list(str(top["token"]).encode()),
                }
                for top in entry.get("top_logprobs") or ()
            ],
        }
        for entry in content or ()
    ]


def write_event(event: Json) -> bytes:
    """Write one event of a response's stream as bytes."""
    name = str(event["type"]).encode()
    return b"event: " + name + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"
