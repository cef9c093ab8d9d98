"""Refuse fields that nothing reads: msgspec does so for its own structs, not for dataclasses within them; pure."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

from primeur.core.errors import BadRequest
from primeur.core.reading import NOT_JSON


def refuse_unknown(body: bytes, kind: Any) -> None:
    """Look through JSON that was read into *kind* without a fault.

    Raises:
        BadRequest: a dataclass in it has no such field; *param* is its path. Or what is unknown is no JSON.
    """
    shape = _shape(kind)
    if shape is None:
        return
    try:
        value = msgspec.json.decode(body)
    except NOT_JSON as error:
        raise BadRequest(f"the body is not JSON: {error}", code="invalid_json") from None
    unknown = next(_unknown(value, shape, ""), None)
    if unknown is not None:
        raise BadRequest(f"unknown parameter {unknown!r}; leave it out", param=unknown, code="unknown_parameter")


@lru_cache(maxsize=512)
def _shape(kind: Any) -> inspect.Type | None:
    """Give what *kind* is made of; None where msgspec has refused all that nothing reads."""
    shape = inspect.type_info(kind)
    return shape if _has_dataclass(shape, ()) else None


def _has_dataclass(shape: inspect.Type, above: tuple[inspect.Type, ...]) -> bool:
    if shape in above:
        return False
    if isinstance(shape, inspect.DataclassType):
        return True
    return any(_has_dataclass(inner, (*above, shape)) for inner in _inner(shape))


def _inner(shape: inspect.Type) -> list[inspect.Type]:
    if isinstance(shape, inspect.StructType | inspect.DataclassType):
        return [field.type for field in shape.fields]
    if isinstance(shape, inspect.UnionType):
        return list(shape.types)
    if isinstance(shape, inspect.DictType):
        return [shape.value_type]
    if isinstance(shape, inspect.ListType | inspect.VarTupleType):
        return [shape.item_type]
    return []


def _unknown(value: Any, shape: inspect.Type, at: str) -> Iterator[str]:
    if isinstance(shape, inspect.UnionType):
        # At most one of them is read from an object, or msgspec would not know which.
        for one in shape.types:
            yield from _unknown(value, one, at)
    elif isinstance(value, dict):
        yield from _in_object(value, shape, at and f"{at}.")
    elif isinstance(value, list) and isinstance(shape, inspect.ListType | inspect.VarTupleType):
        for place, inner in enumerate(value):
            yield from _unknown(inner, shape.item_type, f"{at}[{place}]")


def _in_object(value: dict[str, Any], shape: inspect.Type, at: str) -> Iterator[str]:
    if isinstance(shape, inspect.DictType):
        known = dict.fromkeys(value, shape.value_type)
    elif isinstance(shape, inspect.StructType | inspect.DataclassType):
        known = {field.encode_name: field.type for field in shape.fields}
    else:
        return
    for name, inner in value.items():
        if name in known:
            yield from _unknown(inner, known[name], at + name)
        elif isinstance(shape, inspect.DataclassType):
            yield at + name
