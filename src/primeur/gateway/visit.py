"""One HTTP request as a handler sees it, and the answer it gives."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import msgspec

from primeur.core.caller import Caller
from primeur.core.reading import read_json
from primeur.core.strict import refuse_unknown
from primeur.walks.house import House

Face = Literal["openai", "azure", "anthropic", "admin", "scim"]
Headers = list[tuple[bytes, bytes]]
T = TypeVar("T")


@dataclass(slots=True)
class Visit:
    """One HTTP request, let in.

    Attributes:
        id: ``req_...``, sent back as ``x-request-id``.
        params: what the path's placeholders matched.
        headers: lower-case names.
        body: the whole body; empty where the door reads a stream.
        face: whose error bodies and headers the caller expects.
        arrived_us: monotonic microseconds.
    """

    house: House
    caller: Caller
    id: str
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[bytes, bytes]
    body: bytes
    stream: AsyncIterator[bytes]
    address: str
    face: Face
    arrived_ms: int
    arrived_us: int

    def read(self, kind: type[T]) -> T:
        """Decode the JSON body.

        Raises:
            BadRequest: not JSON, or a field is missing, unknown or of another type; *param* is its path.
        """
        return decode(self.body, kind)


@dataclass(slots=True)
class Answer:
    """What goes back: a whole body, or server-sent events as bytes (each piece one or more whole events)."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)
    content_type: bytes = b"application/json"
    stream: AsyncIterator[bytes] | None = None


def json_answer(value: Any, status: int = 200) -> Answer:
    """Answer with *value* (a msgspec Struct, dict or list) as JSON."""
    return Answer(status, msgspec.json.encode(value))


def decode(body: bytes, kind: type[T]) -> T:
    """Decode JSON into *kind*, saying where the fault is.

    Raises:
        BadRequest: *param* is the path of the fault, such as ``messages[0].role``.
    """
    found = read_json(body, kind)
    refuse_unknown(body, kind)
    return found


Handler = Callable[[Visit], Awaitable[Answer]]
