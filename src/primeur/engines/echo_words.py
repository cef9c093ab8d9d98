"""The echo engine's words: how it counts tokens, which wishes it reads, how it makes numbers out of text. Pure."""

import base64
import hashlib
import math
import re
import struct
from typing import Annotated

import msgspec

from primeur.core.errors import BadRequest

# A token is up to six letters or digits, or one other sign, each with the space before it; or one white-space sign.
_TOKEN = re.compile(r" ?[^\W_]{1,6}| ?[^\w\s]|_|\s")
_WISH = re.compile(r"\[\[([a-z_]+)(?:=([^\]]*))?\]\]")
TOKENS_PER_MESSAGE = 3

Many = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Wishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a test may ask for inside a prompt, written ``[[name=value]]`` or ``[[name]]``.

    Attributes:
        delay_ms: wait before the first byte.
        token_ms: wait before each streamed token.
        status: answer with this error status.
        retry_after_ms: sent as a header with the error.
        cut_after: hang up after so many tokens (in the middle of the body when nothing streams).
        malformed_after: after so many tokens, an event that is not JSON.
        stall_after: after so many tokens, silence for ever.
        error_after: after so many tokens, an error event, and the end.
        garbage: status 200 with a body that is not JSON.
        no_usage: leave the usage out; no_done: leave ``[DONE]`` out.
        repeat: say the text so many times.
        call: call this tool (the first one when no name is given); calls: so many times.
        finish: this ``finish_reason``.
        cached, reasoning: tokens to report as such.
        free_text: answer in free text although a form was asked for.
    """

    delay_ms: Many = 0
    token_ms: Many = 0
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    retry_after_ms: Many | None = None
    cut_after: Many | None = None
    malformed_after: Many | None = None
    stall_after: Many | None = None
    error_after: Many | None = None
    garbage: bool = False
    no_usage: bool = False
    no_done: bool = False
    repeat: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    call: str | None = None
    calls: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1
    finish: str | None = None
    cached: Many = 0
    reasoning: Many = 0
    free_text: bool = False


def split(text: str) -> list[str]:
    """Cut a text into tokens; joined, they are the text again."""
    return _TOKEN.findall(text)


def read_wishes(text: str) -> tuple[str, Wishes]:
    """Take the wishes out of a text; gives the rest and the wishes.

    Raises:
        BadRequest: an unknown wish, or a value that cannot be.
    """
    found: dict[str, object] = {}
    for name, value in _WISH.findall(text):
        found[name] = value if value or name == "call" else True
    if not found:
        return text, NO_WISHES
    try:
        wishes = msgspec.convert(found, Wishes, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"the echo engine does not know this wish: {error}") from None
    return _WISH.sub("", text).strip(), wishes


def log_probability(token: str, place: int, seed: int | None) -> float:
    """A number between -3 and 0 that depends on nothing but token, place and seed."""
    digest = hashlib.sha256(f"{seed}:{place}:{token}".encode()).digest()
    return -3.0 * int.from_bytes(digest[:4], "big") / 0xFFFF_FFFF


def alternatives(token: str, place: int, seed: int | None, count: int) -> list[tuple[str, float]]:
    """The *count* likeliest tokens at a place, *token* first, then ever less likely ones made up from it."""
    best = log_probability(token, place, seed)
    return [(token + "'" * rank, best - rank) for rank in range(count)]


def unit_vector(text: str, size: int) -> list[float]:
    """A vector of length one, float64, shape (size,), that depends on nothing but the text."""
    blocks = (hashlib.sha256(f"{block}:{text}".encode()).digest() for block in range(-(-size // 8)))
    whole = [value - 0x8000_0000 for block in blocks for value in struct.unpack(">8I", block)][:size]
    length = math.sqrt(sum(value * value for value in whole))
    return [value / length for value in whole]


def pack_vector(vector: list[float]) -> str:
    """A vector as OpenAI's base64 form: little-endian float32."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


NO_WISHES = Wishes()
