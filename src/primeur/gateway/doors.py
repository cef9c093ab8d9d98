"""The shape of a door: one route with its permission, limits, meter, event and documentation.

Each file of this room that answers requests has a tuple ``DOORS``; gateway/table.py puts them together. A test walks
the table and fails on a door that leaves something unsaid.
"""

from dataclasses import dataclass
from typing import Any, Literal

from primeur.gateway.visit import Face, Handler

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Door:
    """One route.

    Attributes:
        path: with placeholders in braces: ``/v1/files/{file_id}``.
        permission: what a key must be allowed (see governance/rules.py); None: open to everybody.
        meter: ``usage`` writes a usage event (the walk does), ``none`` makes no engine work.
        tells: name of the event (core/events/) that the door's walk records; None for reading doors.
        body_limit: most bytes of a body; larger ones are refused with 413 before they are read.
        streams_body: the handler reads `Visit.stream` itself, up to *body_limit*.
        takes, gives: msgspec Structs, for OpenAPI; None when there is no body or it is not JSON. What a door takes that
            streams its body is a form.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Handler
    summary: str
    permission: str | None
    meter: Literal["usage", "none"] = "none"
    tells: str | None = None
    face: Face = "openai"
    body_limit: int = 1 * MIB
    streams_body: bool = False
    takes: Any = None
    gives: Any = None
    status: int = 200
