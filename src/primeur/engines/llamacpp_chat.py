"""Chat completions as OpenAI has them, out of those of llama.cpp: forms kept, tools called, log-probabilities. Pure."""

from typing import Any

import msgspec

from primeur.core.chat import Ask, Json, Target
from primeur.core.errors import BadRequest, TargetFailed
from primeur.core.wire import ChatRequest
from primeur.engines.json_forms import Check, check_for, fault_in, is_object
from primeur.engines.llamacpp_checks import must_call
from primeur.engines.llamacpp_tools import CallWriter, Duty, duty_of, instruct


def needs_translation(fields: ChatRequest, target: Target) -> bool:
    """Whether llama.cpp's own answer, or its reading of the request, would not do as it is."""
    form = fields.response_format
    return bool(
        fields.logprobs
        or (form is not None and form.type != "text")
        or must_call(fields)
        or any(tool.function.strict for tool in fields.tools or [])
        or ("developer" not in target.features and any(m.role == "developer" for m in fields.messages))
    )


class ChatTranslation:
    """One chat completion on its way; fits `primeur.core.chat.Translation`."""

    def __init__(self, ask: Ask, fields: ChatRequest, target: Target) -> None:
        """Write the body that llama.cpp reads.

        Raises:
            BadRequest: a JSON schema that cannot be used.
        """
        self._ask, self._fields = ask, fields
        self._duty: Duty | None = duty_of(fields)
        self._check = _form_check(fields)
        self._strict = {
            t.function.name: check_for(t.function.parameters or {}, "tools")
            for t in fields.tools or []
            if t.function.strict
        }
        self._answers: dict[int, _Answer] = {}
        self.body = self._body(target)

    def piece(self, data: Json) -> list[Json]:
        """Turn the answer, or one chunk of it, into OpenAI's.

        Raises:
            TargetFailed: the model broke the form that was asked for.
        """
        for choice in data.get("choices", []):
            if choice.get("logprobs"):
                _tidy_logprobs(choice["logprobs"], self._fields.top_logprobs or 0)
            part = choice["delta" if self._ask.streams else "message"]
            answer = self._answers.setdefault(choice["index"], _Answer(self._writer(choice["index"])))
            answer.read(part, choice, streams=self._ask.streams)
        if not self._ask.streams:
            self.finish()
        return [data]

    def finish(self) -> list[Json]:
        """Judge what was written.

        Raises:
            TargetFailed: an answer that was finished breaks its form, or lacks a call that had to be made.
        """
        for answer in self._answers.values():
            # A text that was cut off by its length cannot be whole; the caller sees why in finish_reason.
            if answer.finish not in {"stop", "tool_calls"}:
                continue
            if self._check is not None and self._duty is None and not answer.calls:
                _insist(fault_in(answer.text, self._check), "the answer breaks the response_format")
            for name, arguments in answer.calls.values():
                check = self._strict.get(name)
                _insist(fault_in(arguments, check) if check else None, f"the arguments for {name} break their schema")
        return []

    def _writer(self, index: int) -> CallWriter | None:
        return CallWriter(self._duty, self._ask, index) if self._duty is not None else None

    def _body(self, target: Target) -> bytes:
        data: dict[str, Any] = msgspec.json.decode(self._ask.body)
        if "developer" not in target.features:
            data["messages"] = [_as_system(message) for message in data["messages"]]
        if self._fields.logprobs and not self._fields.top_logprobs:
            # llama.cpp would give twenty alternatives when none were asked for.
            data["top_logprobs"] = 1
        if self._duty is not None:
            instruct(data, self._duty)
        if self._ask.streams:
            data["stream_options"] = {"include_usage": True}
        return msgspec.json.encode(data)


class _Answer:
    """What one choice has said so far."""

    def __init__(self, writer: CallWriter | None) -> None:
        self.writer = writer
        self.text = ""
        self.finish: str | None = None
        self.calls: dict[int, tuple[str, str]] = {}

    def read(self, part: Json, choice: Json, *, streams: bool) -> None:
        """Take a message or a delta; rewrites it in place when text is to become a call."""
        self.finish = choice.get("finish_reason") or self.finish
        self.text += part.get("content") or ""
        for place, call in enumerate(part.get("tool_calls") or []):
            name, arguments = self.calls.get(call.get("index", place), ("", ""))
            function = call.get("function", {})
            said = (name + (function.get("name") or ""), arguments + (function.get("arguments") or ""))
            self.calls[call.get("index", place)] = said
        if self.writer is not None:
            self._write(self.writer, part, choice, streams=streams)

    def _write(self, writer: CallWriter, part: Json, choice: Json, *, streams: bool) -> None:
        deltas = writer.feed(part.get("content") or "")
        reason = choice.get("finish_reason")
        if reason is not None:
            deltas += writer.end(whole=reason == "stop")
            choice["finish_reason"] = "tool_calls" if reason == "stop" else reason
        if not streams:
            part["content"], part["tool_calls"] = None, [writer.call()]
            return
        part.pop("content", None)
        if "role" in part:
            part["content"] = None
        if deltas:
            part["tool_calls"] = [_joined(deltas)]


def _joined(deltas: list[Json]) -> Json:
    first, *rest = deltas
    text = first["function"]["arguments"] + "".join(delta["function"]["arguments"] for delta in rest)
    return {**first, "function": {**first["function"], "arguments": text}}


def _form_check(fields: ChatRequest) -> Check | None:
    form = fields.response_format
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return is_object
    if form.json_schema is None or form.json_schema.schema is None:
        raise BadRequest("'response_format' has no schema", param="response_format.json_schema.schema")
    return check_for(form.json_schema.schema, "response_format.json_schema.schema")


def _as_system(message: Json) -> Json:
    return {**message, "role": "system"} if message.get("role") == "developer" else message


def _tidy_logprobs(logprobs: Json, count: int) -> None:
    """Leave out tokens without text (the end), and alternatives that nobody asked for."""
    entries = [entry for entry in logprobs.get("content") or [] if entry["bytes"]]
    for entry in entries:
        entry["top_logprobs"] = entry.get("top_logprobs", [])[:count]
    logprobs["content"] = entries


def _insist(fault: str | None, what: str) -> None:
    if fault:
        raise TargetFailed(f"{what}: {fault}", code="form_broken")
