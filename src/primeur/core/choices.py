"""What could have stood where a value cannot be read: the words of a choice, the names of fields; pure."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+|\.\.\.)\]")
_ENUM = "Invalid enum value "
_LONGEST_NAME = 64


def say_choices(reason: str, kind: Any, path: str) -> str:
    """Add to msgspec's *reason* the words that the value could have been, where it is a choice of some.

    Args:
        path: of the value in *kind*, as msgspec tells it, without its ``$``: ``.roll_out.watch[0]``.
    """
    if not reason.startswith(_ENUM):
        return reason
    words = [str(value) for one in _types_at(kind, path) for value in _values(one)]
    return f"{reason.removeprefix(_ENUM)} is none of {', '.join(words)}" if words else reason


def nearest_field(name: str, kind: Any, path: str) -> str:
    """Give the field of what stands at *path* that is spelt most like *name*; empty when none is."""
    if len(name) > _LONGEST_NAME:
        return ""
    known = [field.encode_name for one in _types_at(kind, path) for field in _fields(one)]
    return next(iter(get_close_matches(name, known, n=1)), "")


def _types_at(kind: Any, path: str) -> list[inspect.Type]:
    try:
        found = _single(inspect.type_info(kind))
    except TypeError:
        return []
    for name, _index in _STEP.findall(path):
        inner = [below for one in found for below in (_named(one, name) if name else _items(one))]
        found = [single for one in inner for single in _single(one)]
    return found


def _single(one: inspect.Type) -> list[inspect.Type]:
    if isinstance(one, inspect.Metadata):
        return _single(one.type)
    return [single for each in one.types for single in _single(each)] if isinstance(one, inspect.UnionType) else [one]


def _fields(one: inspect.Type) -> Iterable[inspect.Field]:
    shapes = (inspect.StructType, inspect.DataclassType, inspect.TypedDictType, inspect.NamedTupleType)
    return one.fields if isinstance(one, shapes) else ()


def _named(one: inspect.Type, name: str) -> Iterable[inspect.Type]:
    return (field.type for field in _fields(one) if field.encode_name == name)


def _items(one: inspect.Type) -> Iterable[inspect.Type]:
    if isinstance(one, inspect.DictType):
        return (one.value_type,)
    if isinstance(one, inspect.TupleType):
        return one.item_types
    return (one.item_type,) if isinstance(one, inspect.CollectionType) else ()


def _values(one: inspect.Type) -> Iterable[Any]:
    if isinstance(one, inspect.EnumType):
        return (each.value for each in one.cls)
    return one.values if isinstance(one, inspect.LiteralType) else ()
