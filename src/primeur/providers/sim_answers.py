"""What the simulated provider says: text, tool calls, vectors and verdicts made from the request alone; pure.

The same request gives the same answer. The words mean nothing and claim nothing.
"""

import base64
import struct
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b, shake_256
from math import sqrt
from typing import Any

import msgspec

_WORDS = (
    *("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty", "knoll", "larch"),
    *("maple", "north", "oasis", "pearl", "quill", "ridge", "slate", "thyme", "umber", "vale", "willow", "yarrow"),
    *("brook", "cliff", "dune", "eddy", "field", "glade", "heath", "isle"),
)
_SAFE = ("hate", "self_harm", "sexual", "violence")
_MULTIPLIER, _INCREMENT, _MASK = 6364136223846793005, 1442695040888963407, (1 << 64) - 1

SAFE_VERDICT = {name: {"filtered": False, "severity": "safe"} for name in _SAFE}
PROMPT_VERDICT = SAFE_VERDICT | {"jailbreak": {"filtered": False, "detected": False}}
BLOCKED_VERDICT = PROMPT_VERDICT | {"violence": {"filtered": True, "severity": "medium"}}


def count_tokens(text: str) -> int:
    """Count the simulator's tokens: four bytes each, at least one."""
    return max(1, (len(text.encode()) + 3) // 4)


def make_seed(*parts: object) -> int:
    """Make 64 bits out of *parts*, the same for the same parts."""
    return int.from_bytes(blake2b(msgspec.json.encode(parts), digest_size=8).digest(), "big")


def words(seed: int, count: int) -> Iterator[str]:
    """Give *count* words, one token each; all but the first begin with a space."""
    state, space = seed, ""
    for _ in range(count):
        state = (state * _MULTIPLIER + _INCREMENT) & _MASK
        yield space + _WORDS[state >> 59]
        space = " "


def text_of(message: Mapping[str, Any]) -> str:
    """Give the text of a chat message, its parts joined."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def stopped(pieces: Sequence[str], stops: Sequence[str]) -> tuple[list[str], bool]:
    """Cut *pieces* before the first of *stops*; tell whether one was met."""
    text = "".join(pieces)
    found = [at for at in (text.find(stop) for stop in stops if stop) if at >= 0]
    if not found:
        return list(pieces), False
    kept, left = [], min(found)
    for piece in pieces:
        if left <= 0:
            break
        kept.append(piece[:left])
        left -= len(piece)
    return kept, True


def instance(schema: Mapping[str, Any], seed: int, depth: int = 0) -> Any:
    """Make a value that fits the plain parts of a JSON schema: const, enum, anyOf and type."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][seed % len(schema["enum"])]
    if schema.get("anyOf"):
        return instance(schema["anyOf"][0], seed, depth)
    kind = schema.get("type", "object")
    return _plain(kind[0] if isinstance(kind, list) else kind, schema, seed, depth)


def _plain(kind: str, schema: Mapping[str, Any], seed: int, depth: int) -> Any:
    if depth > 16 or kind == "null":
        return None
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: instance(part, make_seed(seed, name), depth + 1) for name, part in properties.items()}
    if kind == "array":
        return [instance(schema.get("items") or {"type": "string"}, seed, depth + 1)]
    numbers = {"integer": seed % 100, "number": seed % 1000 / 10, "boolean": bool(seed & 1)}
    return numbers.get(kind, "".join(words(seed, 2)))


def embed(text: str, dimensions: int) -> list[float]:
    """Make a unit vector out of *text*."""
    raw = struct.unpack(f">{dimensions}h", shake_256(text.encode()).digest(2 * dimensions))
    length = sqrt(sum(value * value for value in raw)) or 1.0
    return [value / length for value in raw]


def in_base64(vector: Sequence[float]) -> str:
    """Write a vector as OpenAI's base64: little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
