"""Where the texts of prompts and answers are, and what finders find in them; pure."""

from dataclasses import dataclass
from typing import Any

from primeur.core.errors import BadRequest
from primeur.core.guards import Action, Stage, Verdict
from primeur.core.masking import Rule, replace_spans

# Members of a body that a model reads, and members within them that hold no text.
_ASKED = ("messages", "prompt", "suffix", "input", "tools", "functions", "prediction", "response_format")
_NO_TEXT = frozenset({"image_url", "input_audio", "file", "type", "role", "id", "tool_call_id"})

Json = dict[str, Any]


class Blocked(BadRequest):
    """A guard does not let something pass.

    Attributes:
        verdicts: what was found until then, this last.
    """

    code = "content_filter"

    def __init__(self, verdicts: list[Verdict]) -> None:
        """The rule is named, what it found is not repeated."""
        super().__init__(
            f"the guard rule {verdicts[-1].rule!r} does not let this prompt pass; change it", param="prompt"
        )
        self.verdicts = verdicts


@dataclass(frozen=True, slots=True)
class Finder:
    """One form to be looked for; *instead* is written where it is masked."""

    stage: Stage
    rule: str
    action: Action
    form: Rule
    instead: str


Finders = tuple[Finder, ...]


def look(text: str, finders: Finders, verdicts: list[Verdict]) -> str:
    """Give *text* with what is to be masked masked, and add what was found to *verdicts*.

    Raises:
        Blocked: something that may not pass is in it.
    """
    for finder in finders:
        spans = list(finder.form.spans(text))
        if not spans:
            continue
        verdicts.append(Verdict(finder.stage, finder.rule, finder.action, len(spans)))
        if finder.action == "block":
            raise Blocked(verdicts)
        if finder.action == "mask":
            text = replace_spans(text, spans, finder.instead)
    return text


def screened(body: Json, finders: Finders) -> list[Verdict]:
    """Look at every text of a request, masking in place; gives what was found.

    Raises:
        Blocked: as `look`.
        BadRequest: the prompt is given as tokens, which cannot be read.
    """
    verdicts: list[Verdict] = []
    for name in _ASKED:
        if finders and name in body:
            _refuse_tokens(name, body[name])
            body[name] = _looked(body[name], finders, verdicts)
    return verdicts


def count_characters(body: Json) -> int:
    """Count the characters of all texts of a request.

    Raises:
        BadRequest: as `screened`.
    """
    for name in _ASKED:
        _refuse_tokens(name, body.get(name))
    return sum(_length(body.get(name)) for name in _ASKED)


def _refuse_tokens(name: str, value: Any) -> None:
    if name in {"prompt", "input"} and isinstance(value, list) and not all(isinstance(one, str) for one in value):
        raise BadRequest(
            f"this deployment has a guard, which reads text; send {name} as text, not as tokens", param=name
        )


def _looked(value: Any, finders: Finders, verdicts: list[Verdict]) -> Any:
    if isinstance(value, str):
        return look(value, finders, verdicts)
    if isinstance(value, list):
        return [_looked(one, finders, verdicts) for one in value]
    if isinstance(value, dict):
        return {key: one if key in _NO_TEXT else _looked(one, finders, verdicts) for key, one in value.items()}
    return value


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_length, value))
    if isinstance(value, dict):
        return sum(_length(one) for key, one in value.items() if key not in _NO_TEXT)
    return 0
