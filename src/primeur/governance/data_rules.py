"""What becomes of a project's data: how long it is kept, how it is masked, where it may go; pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

from primeur.core.masking import RULES, mask_json
from primeur.core.reading import NOT_JSON

DAY_MS = 86_400_000
DEFAULT_KEEP_DAYS = 30
_SUBJECTS = ("user", "safety_identifier")


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """What a project wants done with its data.

    Attributes:
        keep_days: how long prompts and answers stay, if the project keeps them at all; None: until they are deleted.
        masks: what is taken out of them before they are written (`primeur.core.masking`).
        zones: where requests may be served; None: anywhere. For the broker.
        trains: what is kept may be taken out as training data; without this, nothing can.
    """

    project_id: str
    keep_days: int | None = DEFAULT_KEEP_DAYS
    masks: tuple[str, ...] = tuple(RULES)
    zones: tuple[str, ...] | None = None
    trains: bool = False


def kept_prompt(body: bytes, masks: tuple[str, ...]) -> str:
    """What is written down of a request's body.

    Whom it names as ``user`` or ``safety_identifier`` stays, or that person's traces could not be found to be erased.
    """
    text = body.decode(errors="replace")
    masked = mask_json(text, masks)
    named = _named(text) if masks else {}
    return msgspec.json.encode(msgspec.json.decode(masked) | named).decode() if named else masked


def kept_answer(pieces: list[str], masks: tuple[str, ...]) -> str:
    """What is written down of an answer.

    A streamed answer that is masked is put together first: what would be found may be spread over many events.
    """
    text = "".join(pieces)
    if not masks or not text.startswith("data:"):
        return mask_json(text, masks)
    said: dict[str, str] = {}
    for line in text.splitlines():
        for path, words in _words_of(line):
            said[path] = said.get(path, "") + words
    return mask_json(msgspec.json.encode(said).decode(), masks)


def subjects_of(text: str | None) -> set[str]:
    """The end users that a kept request or response names: ``user`` and ``safety_identifier``."""
    return set(_named(text or "").values())


def _named(text: str) -> dict[str, str]:
    try:
        body = msgspec.json.decode(text)
    except NOT_JSON:
        return {}
    if not isinstance(body, dict):
        return {}
    return {name: body[name] for name in _SUBJECTS if isinstance(body.get(name), str)}


def _words_of(line: str) -> list[tuple[str, str]]:
    try:
        event = msgspec.json.decode(line.removeprefix("data:").strip())
    except NOT_JSON:
        return []
    choices = event.get("choices") if isinstance(event, dict) else None
    return [found for choice in choices or () if isinstance(choice, dict) for found in _said(choice)]


def _said(choice: dict[str, Any]) -> list[tuple[str, str]]:
    """Every text of a chunk with the place where it belongs; texts of one place are put together."""
    found: list[tuple[str, str]] = []
    place = str(choice.get("index", 0))

    def look(value: Any, path: str) -> None:
        if isinstance(value, str):
            found.append((path, value))
        elif isinstance(value, dict):
            for name, one in value.items():
                look(one, f"{path}.{name}")
        elif isinstance(value, list):
            for number, one in enumerate(value):
                at = one.get("index", number) if isinstance(one, dict) else number
                look(one, f"{path}.{at}")

    look(choice.get("delta"), place)
    look(choice.get("text"), f"{place}.text")
    return found
