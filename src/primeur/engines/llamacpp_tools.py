"""Tool calls that must happen: a JSON schema in, tool calls out. Pure.

llama.cpp's own ``tool_choice: required`` gave free text with small models, whether or not their template knows tools.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from primeur.core.chat import Ask, Json
from primeur.core.errors import TargetFailed
from primeur.core.wire import ChatRequest, Function
from primeur.engines.json_forms import Check, check_for, fault_in
from primeur.engines.llamacpp_checks import chosen_name, must_call

_HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*"([a-zA-Z0-9_-]+)"\s*,\s*"arguments"\s*:\s*')
_END = re.compile(r"[}\s]*\Z")


@dataclass(frozen=True, slots=True)
class Duty:
    """A call that must be made.

    Attributes:
        functions: what may be called.
        checks: by function name, for its arguments.
        schema: what the model must write: the arguments themselves when only one function may be called, else an
            object with ``name`` and ``arguments``.
    """

    functions: tuple[Function, ...]
    checks: dict[str, Check]
    schema: Json

    @property
    def only(self) -> str | None:
        """The one function that may be called; None when there is a choice."""
        return self.functions[0].name if len(self.functions) == 1 else None


def duty_of(fields: ChatRequest) -> Duty | None:
    """What must be called; None when nothing must.

    Raises:
        BadRequest: a function's parameters are no usable JSON schema.
    """
    if not must_call(fields):
        return None
    name = chosen_name(fields)
    functions = tuple(t.function for t in fields.tools or [] if name is None or t.function.name == name)
    checks = {f.name: check_for(_parameters(f), "tools") for f in functions}
    schema = _parameters(functions[0]) if len(functions) == 1 else _choice_of(functions)
    return Duty(functions, checks, schema)


def _parameters(function: Function) -> Json:
    return function.parameters or {"type": "object", "properties": {}, "additionalProperties": False}


def _choice_of(functions: tuple[Function, ...]) -> Json:
    options: list[Json] = []
    shared: Json = {}
    for function in functions:
        schema, defined = _lifted(_parameters(function), function.name)
        shared |= defined
        options.append(
            {
                "type": "object",
                "properties": {"name": {"const": function.name}, "arguments": schema},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    return {"anyOf": options, "$defs": shared} if shared else {"anyOf": options}


def _lifted(schema: Json, name: str) -> tuple[Json, Json]:
    """Move a schema's definitions to where one common root can hold them, under names of their own."""
    defined: Json = {}
    for word in ("$defs", "definitions"):
        for key, part in schema.get(word, {}).items():
            defined[f"{name}.{key}"] = _renamed(part, name)
    rest = {key: part for key, part in schema.items() if key not in {"$defs", "definitions"}}
    return _renamed(rest, name), defined


def _renamed(node: Any, name: str) -> Any:
    if isinstance(node, list):
        return [_renamed(part, name) for part in node]
    if not isinstance(node, dict):
        return node
    fresh = {key: _renamed(part, name) for key, part in node.items()}
    if isinstance(node.get("$ref"), str):
        fresh["$ref"] = re.sub(r"^#/(\$defs|definitions)/", f"#/$defs/{name}.", node["$ref"])
    return fresh


def instruct(data: Json, duty: Duty) -> None:
    """Write a duty into a request: the schema, and words that tell the model what is wanted."""
    described = msgspec.json.encode(duty.functions).decode()
    words = f"You can call these functions: {described}\n"
    words += (
        f"Answer with the arguments for {duty.only} as JSON."
        if duty.only
        else 'Answer with JSON: {"name": the function, "arguments": its arguments}.'
    )
    messages = data["messages"]
    if messages and messages[0]["role"] == "system" and isinstance(messages[0].get("content"), str):
        messages[0] = {**messages[0], "content": f"{messages[0]['content']}\n\n{words}"}
    else:
        messages.insert(0, {"role": "system", "content": words})
    for name in ("tools", "tool_choice", "parallel_tool_calls"):
        data.pop(name, None)
    data["response_format"] = {"type": "json_schema", "json_schema": {"name": "call", "schema": duty.schema}}


class CallWriter:
    """Turns the text of one answer, piece by piece, into the pieces of one tool call."""

    def __init__(self, duty: Duty, ask: Ask, index: int) -> None:
        """*index* of the choice, which with the ask's id makes the call's id."""
        self._duty = duty
        self._id = "call_" + hashlib.sha256(f"{ask.id}:{index}".encode()).hexdigest()[:24]
        self._name = duty.only
        self._held = ""
        self._begun = False
        self.arguments = ""

    def feed(self, text: str) -> list[Json]:
        """Take a piece of text; gives deltas of ``tool_calls``."""
        self._held += text
        if self._name is None:
            head = _HEAD.match(self._held)
            if head is None:
                return []
            self._name, self._held = head[1], self._held[head.end() :]
        if self._duty.only:
            return self._say(self._take(len(self._held)))
        # The last brace closes the object around the arguments; which one is last is known only at the end.
        tail = _END.search(self._held)
        return self._say(self._take(tail.start() if tail else len(self._held)))

    def end(self, *, whole: bool) -> list[Json]:
        """Take the end; *whole*: the model had finished, so what it wrote must be right.

        Raises:
            TargetFailed: it wrote no call, or arguments that break their schema.
        """
        if not self._duty.only:
            self._held = self._held.rstrip().removesuffix("}")
        last = self._say(self._take(len(self._held)))
        if whole:
            check = self._duty.checks.get(self._name or "")
            fault = "it named no function" if check is None else fault_in(self.arguments, check)
            if fault:
                raise TargetFailed(f"the model was to call a tool and did not: {fault}", code="tool_call_broken")
        return last

    def _take(self, count: int) -> str:
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _say(self, text: str) -> list[Json]:
        self.arguments += text
        if not self._begun and self._name:
            self._begun = True
            function = {"name": self._name, "arguments": text}
            return [{"index": 0, "id": self._id, "type": "function", "function": function}]
        return [{"index": 0, "function": {"arguments": text}}] if text else []

    def call(self) -> Json:
        """The whole call, for an answer that does not stream."""
        return {"id": self._id, "type": "function", "function": {"name": self._name, "arguments": self.arguments}}
