"""The event log in the forms that other programs read: JSON Lines and CEF; pure.

Source: "ArcSight Common Event Format", implementation standard 25.
"""

import re
from collections.abc import Callable
from typing import Literal

import msgspec

from primeur.core.chain import Entry

Form = Literal["jsonl", "cef"]
_SEVERITY = {"AccessRefused": 6, "WebhookAbandoned": 5}
_USUAL = 3
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def as_json_line(entry: Entry, _version: str) -> bytes:
    """One JSON object a line, with every field of the entry; what verifies here verifies there."""
    return msgspec.json.encode(entry) + b"\n"


def as_cef(entry: Entry, version: str) -> bytes:
    """One CEF event a line, its chain hash among the custom strings."""
    name = _WORDS.sub(" ", entry.kind).capitalize()
    head = "|".join(
        ["CEF:0", "Primeur", "Primeur", *map(_head, (version, entry.kind, name)), str(_severity(entry.kind))]
    )
    fields = {
        "rt": str(entry.at_ms),
        "externalId": str(entry.sequence),
        "suser": entry.actor,
        "src": entry.address,
        "cs1Label": "requestId",
        "cs1": entry.request_id,
        "cs2Label": "hash",
        "cs2": entry.hash,
        "cs3Label": "organisation",
        "cs3": entry.organisation_id,
        "cs4Label": "before",
        "cs4": entry.before or "",
        "cs5Label": "after",
        "cs5": entry.after or "",
        "msg": entry.data,
    }
    return f"{head}|{' '.join(f'{key}={_value(value)}' for key, value in fields.items() if value)}\n".encode()


def _severity(kind: str) -> int:
    return _SEVERITY.get(kind, _USUAL)


def _head(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=").replace("\r", "\\r").replace("\n", "\\n")


FORMS: dict[Form, tuple[Callable[[Entry, str], bytes], bytes]] = {
    "jsonl": (as_json_line, b"application/jsonl"),
    "cef": (as_cef, b"text/plain; charset=utf-8"),
}
