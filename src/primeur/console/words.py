"""The console's words in English and French: two catalogues with the same keys."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"en": "English", "fr": "Français"}
_HERE = Path(__file__).parent
# Groups that scripts read too; everything else is only needed while a page is drawn.
_LIVE_GROUPS = ("live.", "problem.", "unit.")


@dataclass(frozen=True)
class Words:
    """One language's catalogue."""

    language: str
    entries: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """Give the words behind *key*, with ``{name}`` replaced.

        Raises:
            KeyError: no catalogue has this key; a test finds such keys before a person does.
        """
        return self.entries[key].format(**values) if values else self.entries[key]

    def has(self, key: str) -> bool:
        """Whether there are words for *key*; states and codes of newer engines may have none."""
        return key in self.entries

    def live(self) -> dict[str, str]:
        """What scripts in the page may say."""
        return {key: text for key, text in self.entries.items() if key.startswith(_LIVE_GROUPS)}


def read_words(language: str) -> Words:
    """Read a catalogue; nested tables become dotted keys."""
    tables = tomllib.loads((_HERE / f"words_{language}.toml").read_text("utf-8"))
    return Words(language, dict(_flatten("", tables)))


def choose_language(wish: str | None, accepts: str) -> str:
    """Pick the language: the person's own choice, else the browser's first that we speak, else English.

    Args:
        wish: from the preference cookie.
        accepts: the ``Accept-Language`` header.

    Source: RFC 9110, 12.5.4.
    """
    if wish is not None and wish in LANGUAGES:
        return wish
    ranked = sorted((_rank(part) for part in accepts.split(",") if part.strip()), key=lambda pair: -pair[0])
    return next((tongue for weight, tongue in ranked if weight > 0 and tongue in LANGUAGES), "en")


def _rank(part: str) -> tuple[float, str]:
    tag, _, rest = part.strip().partition(";")
    tongue = tag.strip().lower().split("-")[0]
    try:
        return (float(rest.strip().removeprefix("q=")) if rest else 1.0), tongue
    except ValueError:
        return 0.0, tongue


def _flatten(prefix: str, table: Mapping[str, object]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        pairs += _flatten(f"{prefix}{key}.", value) if isinstance(value, Mapping) else [(prefix + key, str(value))]
    return pairs
