"""SCIM's PATCH, in the forms that identity providers send; pure.

Source: RFC 7644, section 3.5.2.
"""

import copy
import re
from typing import Any

from primeur.core.errors import BadRequest
from primeur.governance.scim_filters import CORE, ENTERPRISE, Json, read_filter

_PATH = re.compile(r"([A-Za-z$][\w$-]*)(?:\[(.+)\])?(?:\.([A-Za-z$][\w$-]*))?", re.DOTALL)
_EQUALS = re.compile(r'\s*([A-Za-z]+)\s+eq\s+"([^"\\]*)"\s*', re.IGNORECASE)
_READ_ONLY = {"id", "meta", "groups"}
_OPERATIONS_LIMIT = 1000
_DEPTH_LIMIT = 3


def patched(resource: Json, operations: Any) -> Json:
    """Give what a resource is after a patch.

    Raises:
        BadRequest: an operation that is none, or on what cannot be changed.
    """
    if not isinstance(operations, list) or not operations or len(operations) > _OPERATIONS_LIMIT:
        raise _wrong("Operations is a list of 1 to 1000 operations", "invalidSyntax")
    found = copy.deepcopy(resource)
    for one in operations:
        op = str(one.get("op", "")).lower() if isinstance(one, dict) else ""
        if op not in {"add", "replace", "remove"}:
            raise _wrong("op is add, replace or remove", "invalidSyntax")
        path = one.get("path") or ""
        if not isinstance(path, str):
            raise _wrong("path is a text", "invalidPath")
        _operate(found, op, path, one.get("value"))
    return found


def _operate(target: Json, op: str, path: str, value: Any, depth: int = 0) -> None:
    if path.lower() == ENTERPRISE.lower() or not path:
        _operate_each(target if not path else target.setdefault(ENTERPRISE, {}), op, value, depth)
        return
    target, path = _within(target, path)
    found = _PATH.fullmatch(path)
    if found is None:
        raise _wrong(f"{path[:100]!r} is no path of an attribute", "invalidPath")
    name = next((one for one in target if one.lower() == found[1].lower()), found[1])
    if name.lower() in _READ_ONLY:
        if op != "remove" and target.get(name) == value:
            return
        raise _wrong(f"{name} is kept by this service and cannot be changed", "mutability")
    if found[2] is not None:
        target[name] = _operate_chosen(target.get(name), op, (found[2], found[3]), value)
    elif found[3] is not None:
        _operate_inner(target, op, name, found[3], value)
    else:
        _operate_whole(target, op, name, value)


def _within(target: Json, path: str) -> tuple[Json, str]:
    """Give what a path with a schema before it speaks of, and the rest of it."""
    if path.lower().startswith(ENTERPRISE.lower() + ":"):
        return target.setdefault(ENTERPRISE, {}), path[len(ENTERPRISE) + 1 :]
    if path.lower().startswith(CORE.lower()):
        return target, path[len(CORE) :].partition(":")[2]
    return target, path


def _operate_whole(target: Json, op: str, name: str, value: Any) -> None:
    if op == "remove":
        _remove(target, name, value)
    elif op == "add":
        target[name] = _joined(target.get(name), value)
    else:
        target[name] = value


def _operate_each(target: Json, op: str, value: Any, depth: int) -> None:
    if op == "remove" or not isinstance(value, dict) or depth >= _DEPTH_LIMIT:
        raise _wrong("an operation without a path has an object as its value, and removes nothing", "noTarget")
    for name, each in value.items():
        if name != "schemas":
            _operate(target, op, str(name), each, depth + 1)


def _operate_inner(target: Json, op: str, name: str, part: str, value: Any) -> None:
    inner = target.get(name) or {}
    if not isinstance(inner, dict):
        raise _wrong(f'{name} has several values; say which: {name}[type eq "work"].{part}', "invalidPath")
    known = next((one for one in inner if one.lower() == part.lower()), part)
    target[name] = {one: each for one, each in inner.items() if one != known}
    if op != "remove":
        target[name][known] = value


def _operate_chosen(several: Any, op: str, where: tuple[str, str | None], value: Any) -> list[Any]:
    """Change those of *several* values that fit a filter, the first of *where*, or a part of each, the second."""
    fits, part = read_filter(where[0]), where[1]
    held = [one for one in several or [] if isinstance(one, dict)]
    chosen = [one for one in held if fits(one)]
    if op == "remove":
        if part is None:
            return [one for one in held if one not in chosen]
        for one in chosen:
            one.pop(part, None)
        return held
    if not chosen:
        # Identity providers set a work address this way before there is one.
        equals = _EQUALS.fullmatch(where[0])
        if equals is None:
            raise _wrong(f"nothing fits [{where[0][:100]}]", "noTarget")
        chosen = [{equals[1]: equals[2]}]
        held += chosen
    for one in chosen:
        if part is None and not isinstance(value, dict):
            raise _wrong("what is chosen by a filter is an object", "invalidValue")
        one.update(value if part is None else {part: value})
    return held


def _remove(target: Json, name: str, value: Any) -> None:
    """Take an attribute away, or some of its values when they are named."""
    held = target.get(name)
    if value is None or not isinstance(held, list):
        target.pop(name, None)
        return
    gone = [_key(one) for one in (value if isinstance(value, list) else [value])]
    target[name] = [one for one in held if _key(one) not in gone]


def _joined(held: Any, value: Any) -> Any:
    if isinstance(held, list):
        known = [_key(one) for one in held]
        return held + [one for one in (value if isinstance(value, list) else [value]) if _key(one) not in known]
    if isinstance(held, dict) and isinstance(value, dict):
        return held | value
    return value


def _key(one: Any) -> Any:
    return one.get("value", one) if isinstance(one, dict) else one


def _wrong(words: str, code: str) -> BadRequest:
    return BadRequest(words, param="Operations", code=code)
