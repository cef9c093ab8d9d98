"""Make the smallest value that a JSON schema allows. Pure."""

import math
from typing import Any

from primeur.core.errors import BadRequest

MAX_DEPTH = 24
Schema = dict[str, Any] | bool


def smallest(schema: Schema, text: str = "") -> Any:
    """Give a small valid value for *schema*; free strings repeat *text*.

    Raises:
        BadRequest: nothing is valid, it never ends, or the schema uses a word that is not known here (``pattern``).
    """
    return _Maker(schema if isinstance(schema, dict) else {}, text).make(schema, 0)


class _Maker:
    """Walks down a schema; *root* resolves references."""

    def __init__(self, root: dict[str, Any], text: str) -> None:
        self.root, self.text = root, text

    def make(self, schema: Schema, depth: int) -> Any:
        if schema is False or depth > MAX_DEPTH:
            raise BadRequest("no finite value obeys this JSON schema", param="response_format")
        if schema is True or not schema:
            return None
        schema = self.settle(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self.first_of(schema, word, depth)
        return self.of_kind(schema, depth)

    def settle(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follow a reference and melt ``allOf`` into one schema."""
        for _ in range(MAX_DEPTH):
            if "$ref" not in schema:
                break
            schema = {**self.look_up(schema["$ref"]), **{k: v for k, v in schema.items() if k != "$ref"}}
        merged = {k: v for k, v in schema.items() if k != "allOf"}
        for part in schema.get("allOf", []):
            merged = _merge(merged, self.settle(part))
        return merged

    def look_up(self, reference: str) -> dict[str, Any]:
        found: Any = self.root
        if not reference.startswith("#"):
            raise BadRequest(f"JSON schema reference {reference!r} is not local", param="response_format")
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            raise BadRequest(f"JSON schema reference {reference!r} leads nowhere", param="response_format")
        return found

    def first_of(self, schema: dict[str, Any], word: str, depth: int) -> Any:
        rest = {k: v for k, v in schema.items() if k != word}
        for option in schema[word]:
            try:
                return self.make(_merge(rest, self.settle(option)), depth + 1)
            except BadRequest:
                continue
        raise BadRequest("no finite value obeys this JSON schema", param="response_format")

    def of_kind(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type") or _guess(schema)
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            names = schema.get("required", [])
            known = schema.get("properties", {})
            return {name: self.make(known.get(name, {}), depth + 1) for name in names}
        if kind == "array":
            return self.array(schema, depth)
        if kind == "string":
            return self.string(schema)
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        return {"boolean": True, "null": None}.get(kind)

    def array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems", [])
        count = max(int(schema.get("minItems", 0)), 0)
        places = [first[i] if i < len(first) else schema.get("items", {}) for i in range(count)]
        return [self.make(place, depth + 1) for place in places]

    def string(self, schema: dict[str, Any]) -> str:
        if "pattern" in schema:
            raise BadRequest("the echo engine makes no strings for 'pattern'", param="response_format")
        formats = {"date": "2000-01-01", "date-time": "2000-01-01T00:00:00Z", "time": "00:00:00Z"}
        if schema.get("format") in formats:
            return formats[schema["format"]]
        least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 1 << 20))
        return self.text.ljust(least, "-")[:most]


def _merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {**one, **other}
    if "properties" in one and "properties" in other:
        both["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        both["required"] = [*one["required"], *(n for n in other["required"] if n not in one["required"])]
    return both


def _guess(schema: dict[str, Any]) -> str:
    hints = {"properties": "object", "required": "object", "items": "array", "prefixItems": "array"}
    hints |= {"minLength": "string", "maxLength": "string", "format": "string", "pattern": "string"}
    hints |= {"minimum": "number", "maximum": "number", "multipleOf": "number"}
    return next((kind for word, kind in hints.items() if word in schema), "null")


def _number(schema: dict[str, Any], *, whole: bool) -> float:
    step = schema.get("multipleOf", 1 if whole else None)
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    tiny = step or (1 if whole else 0.5)
    low = max(low, schema.get("exclusiveMinimum", -math.inf) + tiny)
    high = min(high, schema.get("exclusiveMaximum", math.inf) - tiny)
    value = max(low, min(0, high))
    if step and value % step:
        value = math.ceil(value / step) * step
    return int(value) if whole or value == int(value) else value
