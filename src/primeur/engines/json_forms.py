"""Check that what a model wrote has the JSON form that was asked for. Pure, and safe against hostile schemas."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import fastjsonschema
import msgspec

from primeur.core.errors import BadRequest

MAX_SCHEMA_BYTES = 256 << 10
MAX_DEPTH = 64
Check = Callable[[Any], Any]
# Patterns stay with the engine's grammar: matching a caller's pattern against a caller's text here could take for ever.
_LEFT_TO_THE_GRAMMAR = frozenset({"pattern", "patternProperties", "format"})
# Words whose values are data, and words whose keys are names and no words.
_VALUES = frozenset({"const", "default", "enum", "examples", "required"})
_NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
_NOT_IN_A_GRAMMAR = re.compile(r"\(\?(?!:)|\\[1-9]")


class _NoFetch(dict[str, Callable[[str], Any]]):
    """Stands in for every way to fetch a remote schema, and refuses."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __getitem__(self, scheme: str) -> Callable[[str], Any]:
        raise BadRequest("a JSON schema may only refer to itself ($ref: '#/...')", param="response_format")


def is_object(value: Any) -> Any:
    """Accept any JSON object.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, dict):
        message = "it is not a JSON object"
        raise ValueError(message)  # noqa: TRY004 - the checks of fastjsonschema raise ValueErrors too
    return value


def check_for(schema: Any, param: str) -> Check:
    """Compile a schema into a check, which raises ValueError with the reason.

    Raises:
        BadRequest: not a usable schema: too large, too deep, with foreign references or impossible patterns.
    """
    text = msgspec.json.encode(schema, order="deterministic")
    if len(text) > MAX_SCHEMA_BYTES:
        raise BadRequest(f"the JSON schema is longer than {MAX_SCHEMA_BYTES} bytes", param=param)
    _refuse_foreign(schema, param)
    try:
        return _compiled(text)
    except BadRequest:
        raise
    except Exception as error:  # noqa: BLE001 - a hostile schema may break the compiler in any way
        raise BadRequest(f"the JSON schema cannot be used: {error}", param=param) from None


@lru_cache(maxsize=128)
def _compiled(text: bytes) -> Check:
    schema = _without_patterns(msgspec.json.decode(text))
    check: Check = fastjsonschema.compile(schema, handlers=_NoFetch(), use_default=False, use_formats=False)
    return check


def _refuse_foreign(schema: Any, param: str) -> None:
    for word, value in _words(schema, 0, param):
        if word in {"$ref", "$dynamicRef"} and isinstance(value, str) and not value.startswith("#"):
            raise BadRequest(f"JSON schema reference {value[:100]!r} leads out of the schema", param=param)
        if word == "pattern" and isinstance(value, str) and _NOT_IN_A_GRAMMAR.search(value):
            raise BadRequest(
                f"JSON schema pattern {value[:100]!r}: no look-around, flags or back-references", param=param
            )


def _words(node: Any, depth: int, param: str) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise BadRequest(f"the JSON schema is nested more than {MAX_DEPTH} deep", param=param)
    if isinstance(node, dict):
        for word, value in node.items():
            yield word, value
            yield from _words(value, depth + 1, param)
    elif isinstance(node, list):
        for value in node:
            yield from _words(value, depth + 1, param)


def _without_patterns(node: Any) -> Any:
    """Leave out the words that are matched by regular expressions; names of properties are no words."""
    if isinstance(node, list):
        return [_without_patterns(value) for value in node]
    if not isinstance(node, dict):
        return node
    left_out = _LEFT_TO_THE_GRAMMAR | ({"additionalProperties"} if "patternProperties" in node else frozenset())
    return {word: _without_word(word, value) for word, value in node.items() if word not in left_out}


def _without_word(word: str, value: Any) -> Any:
    if word in _VALUES:
        return value
    if word in _NAMED and isinstance(value, dict):
        return {name: _without_patterns(part) for name, part in value.items()}
    return _without_patterns(value)


def fault_in(text: str, check: Check) -> str | None:
    """Say what is wrong with *text*; None when it is JSON of the right form."""
    try:
        check(msgspec.json.decode(text))
    except Exception as error:  # noqa: BLE001 - a senseless schema may break its own check in any way
        return str(error)[:300] or type(error).__name__
    return None
