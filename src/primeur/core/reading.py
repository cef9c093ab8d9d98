"""Read JSON into types and say where a fault is; pure."""

import re
from typing import Any, TypeVar

import msgspec

from primeur.core.choices import nearest_field, say_choices
from primeur.core.errors import BadRequest

T = TypeVar("T")

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding bytes that somebody else sent may raise: bad JSON, bad UTF-8, too deep."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_json(body: bytes, kind: type[T]) -> T:
    """Decode JSON into *kind*.

    Raises:
        BadRequest: *param* is the path of the fault, such as ``messages[0].role``.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _fault(error, kind, "") from None
    except NOT_JSON as error:
        raise BadRequest(f"the body is not JSON: {error}", code="invalid_json") from None


def read_value(value: Any, kind: type[T], at: str) -> T:
    """Turn decoded JSON into *kind*; *at* is its path in the body.

    Raises:
        BadRequest: *param* is the path of the fault.
    """
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        raise _fault(error, kind, at) from None


def is_id(text: str) -> bool:
    """Whether *text* could be an identifier of ours; what cannot is never looked for."""
    return _ID.fullmatch(text) is not None


def _fault(error: msgspec.ValidationError, kind: Any, at: str) -> BadRequest:
    reason, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    where = (at + path).removeprefix(".")
    if reason.startswith("Object contains unknown field `"):
        name = reason.split("`")[1]
        near = nearest_field(name, kind, path)
        where, advice = f"{where}.{name}".removeprefix("."), f"did you mean {near!r}?" if near else "leave it out"
        return BadRequest(f"unknown parameter {where!r}; {advice}", param=where, code="unknown_parameter")
    reason = say_choices(reason, kind, path)
    return BadRequest(f"{reason}: {where}" if where else reason, param=where or None, code="invalid_type")
