"""What guards find in a text, told in the categories that OpenAI's moderation has; pure.

Source: OpenAI API reference, "Create moderation".
"""

from collections.abc import Mapping

import msgspec

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
_BY_RULE = {name.replace("/", "_"): name for name in CATEGORIES}


class Moderated(msgspec.Struct, frozen=True):
    """What was found in one text.

    Attributes:
        category_scores: 1 where a rule found something, 0 elsewhere: rules find or do not.
        category_applied_input_types: ``["text"]`` where a rule looks for it; empty where none does, so that a category
            nobody looks for is not taken for a harmless text.
    """

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[str]]


def moderated(found: Mapping[str, bool]) -> Moderated:
    """Tell what rules found, by their names.

    A rule that is called as one of OpenAI's categories, with ``_`` for ``/``, stands for it; others stand for
    themselves.
    """
    named = {_BY_RULE.get(rule, rule): there for rule, there in found.items()}
    categories = dict.fromkeys(CATEGORIES, False) | named
    return Moderated(
        any(named.values()),
        categories,
        {name: float(there) for name, there in categories.items()},
        {name: ["text"] if name in named else [] for name in categories},
    )
