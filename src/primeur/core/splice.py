"""Change a JSON body without re-encoding it, where that is safe."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from primeur.core.errors import TargetFailed

_MODEL = re.compile(rb'"model"\s*:\s*"(?:[^"\\]|\\.)*"')
_USAGE = b'{"stream_options":{"include_usage":true},'


def with_model(body: bytes, model: str, was: str = "") -> bytes:
    """Put another model name into a request body.

    Args:
        was: the name that is there, where the caller knows it: such a body is spliced sooner.

    A quoted ``"model"`` that occurs once is the top-level key: inside a string its quotes would be escaped. Its letters
    may be escaped too; then the body is read as a whole.
    """
    start = body.find(b'"model"')
    if start >= 0 and body.find(b'"model"', start + 7) < 0 and (b"\\" not in body or b"\\u006" not in body):
        known = _model_member(was)
        if body.startswith(known, start):
            return body[:start] + _model_member(model) + body[start + len(known) :]
        found = _MODEL.match(body, start)
        if found is not None:
            return b"%b%b%b" % (body[:start], _model_member(model), body[found.end() :])
    return with_fields(body, {"model": model})


@lru_cache(maxsize=256)
def _model_member(model: str) -> bytes:
    return b'"model":' + msgspec.json.encode(model)


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


def with_member(answer: bytes, member: bytes) -> bytes:
    """Append one member, such as ``"a":1``, to a JSON object that is not empty.

    Raises:
        TargetFailed: *answer* is not such an object.
    """
    if not answer.endswith(b"}"):
        answer = answer.rstrip()
    if len(answer) < 3 or answer[-1] != 0x7D or not answer.lstrip().startswith(b"{"):
        raise TargetFailed("the target's answer is not a JSON object")
    return b"%b,%b}" % (answer[:-1], member)
