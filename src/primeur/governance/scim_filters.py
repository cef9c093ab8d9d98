"""SCIM's filters, as people and identity providers write them; pure.

Source: RFC 7644, section 3.4.2.2.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from primeur.core.errors import BadRequest

Json = dict[str, Any]
Test = Callable[[Mapping[str, Any]], bool]
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_TOKEN = re.compile(r'\s*(?:([()\[\]])|("(?:[^"\\]|\\.)*")|([^\s()\[\]"]+))')
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, wanted: have == wanted,
    "co": lambda have, wanted: isinstance(have, str) and str(wanted) in have,
    "sw": lambda have, wanted: isinstance(have, str) and have.startswith(str(wanted)),
    "ew": lambda have, wanted: isinstance(have, str) and have.endswith(str(wanted)),
    "gt": lambda have, wanted: type(have) is type(wanted) and have > wanted,
    "ge": lambda have, wanted: type(have) is type(wanted) and have >= wanted,
    "lt": lambda have, wanted: type(have) is type(wanted) and have < wanted,
    "le": lambda have, wanted: type(have) is type(wanted) and have <= wanted,
}
_EXACT = {"id", "externalid", "members", "members.value", "value"}
_LENGTH_LIMIT, _DEPTH_LIMIT = 4000, 20


def read_filter(text: str) -> Test:
    """Read a filter, such as ``userName eq "ada" and not (active eq false)``.

    Raises:
        BadRequest: it is none (``invalidFilter``).
    """
    reader = _Reader(_tokens(text))
    found = reader.either()
    if reader.left:
        raise _wrong(f"{reader.left[0]!r} is too much")
    return found


def matches(text: str, resource: Mapping[str, Any]) -> bool:
    """Whether a resource fits a filter; raises as `read_filter`."""
    return read_filter(text)(resource)


def values_at(resource: Mapping[str, Any], path: str) -> list[Any]:
    """Give what is at an attribute's path, every value of those that have several."""
    if path.lower().startswith(ENTERPRISE.lower()):
        path, resource = path[len(ENTERPRISE) + 1 :], resource.get(ENTERPRISE) or {}
    elif path.lower().startswith(CORE.lower()):
        path = path[len(CORE) :].partition(":")[2]
    found: list[Any] = [resource]
    for part in path.lower().split("."):
        inner = [one for holder in found if isinstance(holder, Mapping) for one in _inside(holder, part)]
        found = [each for one in inner for each in (one if isinstance(one, list) else [one])]
    # Of something with parts, such as an address of mail, the value is meant.
    return [one.get("value") if isinstance(one, Mapping) and "value" in one else one for one in found]


def _inside(holder: Mapping[str, Any], part: str) -> list[Any]:
    return [value for name, value in holder.items() if name.lower() == part]


def _tokens(text: str) -> list[str]:
    if len(text) > _LENGTH_LIMIT:
        raise _wrong(f"it is longer than {_LENGTH_LIMIT} characters")
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _wrong(f"it cannot be read from {text[at : at + 20]!r} on")
        found.append(match[0].strip())
        at = match.end()
    return found


class _Reader:
    """Reads words one after the other; *left* are those to come."""

    def __init__(self, words: list[str]) -> None:
        self.left = words
        self.depth = 0

    def either(self) -> Test:
        """One or more parts joined by ``or``."""
        parts = [self.all_of()]
        while self._takes("or"):
            parts.append(self.all_of())
        return lambda one: any(part(one) for part in parts)

    def all_of(self) -> Test:
        """One or more parts joined by ``and``."""
        parts = [self.part()]
        while self._takes("and"):
            parts.append(self.part())
        return lambda one: all(part(one) for part in parts)

    def part(self) -> Test:
        """A comparison, or a filter in brackets."""
        self.depth += 1
        if self.depth > _DEPTH_LIMIT:
            raise _wrong(f"it is deeper than {_DEPTH_LIMIT} brackets")
        found = self._part()
        self.depth -= 1
        return found

    def _part(self) -> Test:
        if self._takes("not"):
            inner = self._bracketed("(", ")")
            return lambda one: not inner(one)
        if self.left[:1] == ["("]:
            return self._bracketed("(", ")")
        path = self._next("an attribute")
        if self.left[:1] == ["["]:
            inner = self._bracketed("[", "]")
            return lambda one: any(inner(each) for each in _inside(one, path.lower()) for each in _many(each))
        return self._comparison(path)

    def _comparison(self, path: str) -> Test:
        word = self._next("an operator").lower()
        if word == "pr":
            return lambda one: any(value not in (None, "", [], {}) for value in values_at(one, path))
        if word not in _COMPARE and word != "ne":
            raise _wrong(f"{word[:40]!r} is no operator; they are eq ne co sw ew gt ge lt le pr")
        exact = path.lower() in _EXACT
        wanted = _plain(_value(self._next("a value")), exact=exact)
        if word == "ne":
            return lambda one: all(_plain(value, exact=exact) != wanted for value in values_at(one, path))
        compare = _COMPARE[word]
        return lambda one: any(compare(_plain(value, exact=exact), wanted) for value in values_at(one, path))

    def _bracketed(self, begin: str, end: str) -> Test:
        if self._next(begin) != begin:
            raise _wrong(f"{begin!r} is missing")
        found = self.either()
        if self._next(end) != end:
            raise _wrong(f"{end!r} is missing")
        return found

    def _takes(self, word: str) -> bool:
        if self.left and self.left[0].lower() == word:
            self.left.pop(0)
            return True
        return False

    def _next(self, what: str) -> str:
        if not self.left:
            raise _wrong(f"{what} is missing at the end")
        return self.left.pop(0)


def _many(value: Any) -> list[Any]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]


def _value(word: str) -> Any:
    try:
        return msgspec.json.decode(word if word[:1] == '"' else word.lower())
    except msgspec.DecodeError:
        raise _wrong(f"{word[:40]!r} is no value; texts stand in double quotes") from None


def _plain(value: Any, *, exact: bool) -> Any:
    return value.lower() if isinstance(value, str) and not exact else value


def _wrong(why: str) -> BadRequest:
    words = f'the filter is not understood: {why}; write it like userName eq "ada" and active eq true'
    return BadRequest(words, param="filter", code="invalidFilter")
