"""Change a JSON body without re-encoding it, where that is safe."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from primeur.core.errors import TargetFailed

_MODEL = re.compile(rb'"model"\s*:\s*"(?:[^"\\]|\\.)*"')
_USAGE = b'{"stream_options":{"include_usage":true},'


def with_model(body: bytes, model: str) -> bytes:
    """Put another model name into a request body.

    A quoted ``"model"`` that occurs once is the top-level key: inside a string its quotes would be escaped.
    """
    start = body.find(b'"model"')
    if start >= 0 and body.find(b'"model"', start + 7) < 0:
        found = _MODEL.match(body, start)
        if found is not None:
            return b'%b"model":%b%b' % (body[:start], msgspec.json.encode(model), body[found.end() :])
    return with_fields(body, {"model": model})


def with_usage_asked(body: bytes) -> bytes:
    """Ask for a usage chunk at the end of a stream."""
    if b'"stream_options"' not in body:
        start = body.find(b"{")
        return _USAGE + body[start + 1 :]
    options = msgspec.json.decode(body).get("stream_options") or {}
    return with_fields(body, {"stream_options": {**options, "include_usage": True}})


def with_fields(body: bytes, fields: Mapping[str, Any], *, without: frozenset[str] = frozenset()) -> bytes:
    """Set and drop top-level fields, by decoding and encoding."""
    data = {name: value for name, value in msgspec.json.decode(body).items() if name not in without}
    return msgspec.json.encode({**data, **fields})


def with_extra(answer: bytes, name: str, value: Any) -> bytes:
    """Append one field to a JSON object.

    Raises:
        TargetFailed: *answer* is not a JSON object.
    """
    cut = answer.rstrip()
    if not cut.startswith(b"{") or not cut.endswith(b"}") or len(cut) < 3:
        raise TargetFailed("the target's answer is not a JSON object")
    return cut[:-1] + b"," + msgspec.json.encode(name) + b":" + msgspec.json.encode(value) + b"}"
