"""Guards as data, checked and compiled; pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from primeur.core.errors import BadRequest
from primeur.core.guards import Action, Images, Stage, Verdict
from primeur.core.masking import RULES, Rule, check_masks
from primeur.trust.answers import StreamedAnswer, WholeAnswer
from primeur.trust.patterns import read_pattern
from primeur.trust.texts import Finder, Finders, count_characters, screened
from primeur.trust.words import read_words

_WORDS_MOST = 1000

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[a-z0-9_-]+$")]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Reach = Literal["prompt", "answer", "both"]


class GuardRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is looked for; exactly one of *finds*, *words* and *pattern* says what.

    Attributes:
        on: whether prompts, answers or both are looked at.
        finds: names of forms, as in the masks of a project: ``email``, ``card``, ``secret``...
        words: words and phrases, whole, in upper or lower case.
        pattern: an expression, see `primeur.trust.patterns`.
    """

    name: Name
    action: Action
    on: Reach = "both"
    finds: list[str] = []
    words: Annotated[list[Word], msgspec.Meta(max_length=_WORDS_MOST)] = []
    pattern: str | None = None


class GuardPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is looked for in what passes through a deployment.

    Attributes:
        characters_most: of a prompt's texts; null is no limit but the body's.
        images: ``fetch`` brings images by URL here and hands them on, ``refuse`` takes only images in the request.
    """

    rules: Annotated[list[GuardRule], msgspec.Meta(max_length=64)] = []
    characters_most: Annotated[int, msgspec.Meta(ge=1, le=1 << 31)] | None = None
    images: Images = "fetch"


@dataclass
class Compiled:
    """A `primeur.core.guards.Guard`."""

    images: Images = "fetch"
    characters_most: int | None = None
    finders: dict[Stage, Finders] = field(default_factory=dict)

    def prompt(self, body: bytes) -> tuple[bytes, list[Verdict]]:
        """See the port."""
        finders = self.finders["prompt"]
        if self.characters_most is None and not finders:
            return body, []
        data: dict[str, Any] = msgspec.json.decode(body)
        if self.characters_most is not None:
            found = count_characters(data)
            if found > self.characters_most:
                raise BadRequest(
                    f"the prompt has {found} characters; this deployment takes {self.characters_most}; shorten it",
                    code="prompt_too_long",
                )
        verdicts = screened(data, finders)
        changed = any(one.action == "mask" for one in verdicts)
        return (msgspec.json.encode(data) if changed else body), verdicts

    def answer(self, *, streams: bool) -> StreamedAnswer | WholeAnswer | None:
        """See the port."""
        finders = self.finders["answer"]
        if not finders:
            return None
        return StreamedAnswer(finders) if streams else WholeAnswer(finders)

    def judge(self, text: str) -> dict[str, bool]:
        """See the port."""
        found: dict[str, bool] = {}
        # A rule for prompts and answers has two finders of one form; one look is enough.
        for rule, finder in {(one.rule, one.form): one for each in self.finders.values() for one in each}.items():
            found[rule[0]] = found.get(rule[0], False) or any(True for _ in finder.form.spans(text))
        return found


def compile_guard(policy: GuardPolicy) -> Compiled | None:
    """Make a guard of *policy*; None where nothing is looked for.

    Raises:
        BadRequest: two rules of one name, a form that there is not, a pattern that could take long, or a rule that
            says nothing or too much.
    """
    if policy == GuardPolicy():
        return None
    names = [rule.name for rule in policy.rules]
    for name in names:
        if names.count(name) > 1:
            raise BadRequest(f"two guard rules have the name {name!r}; names tell them apart", param="rules")
    stages: tuple[Stage, Stage] = ("prompt", "answer")
    finders = {
        stage: tuple(one for rule in policy.rules if rule.on in {stage, "both"} for one in _finders(rule, stage))
        for stage in stages
    }
    return Compiled(policy.images, policy.characters_most, finders)


def _finders(rule: GuardRule, stage: Stage) -> Iterator[Finder]:
    if (bool(rule.finds), bool(rule.words), rule.pattern is not None).count(True) != 1:
        raise BadRequest(
            f"the guard rule {rule.name!r} must say what it looks for by one of finds, words and pattern", param="rules"
        )
    for form in check_masks(rule.finds):
        yield Finder(stage, rule.name, rule.action, RULES[form], f"[{form}]")
    if rule.words:
        yield Finder(stage, rule.name, rule.action, Rule(read_words(rule.words)), f"[{rule.name}]")
    if rule.pattern is not None:
        yield Finder(stage, rule.name, rule.action, Rule(read_pattern(rule.pattern)), f"[{rule.name}]")
