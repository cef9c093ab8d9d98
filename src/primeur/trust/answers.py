"""A guard's look at answers: whole ones, and streams in which a find may be cut in two by any piece; pure.

Of a stream the newest text is kept back: at least 128 characters, and on to the last white space before them, so that
what is looked for is never passed on by halves. Longer finds without white space (keys, tokens) and private keys are
kept back up to 16 KiB.
"""

import re

from primeur.core.guards import Verdict
from primeur.trust.texts import Blocked, Finders, Json, look

_BACK = 128
_BACK_MOST = 16 << 10
_BLOCK_BEGINS = "-----BEGIN"
_BLOCK = re.compile(r"-----BEGIN[^-]{0,60}-----[^-]{0,16384}-----END[^-]{0,60}-----")
_FILTERED = "content_filter"
_CALL, _OLD_CALL = "tool_calls ", "function_call"
# Where a model's words are: in a message or a delta, or in the choice itself (plain completions).
_WORDS = ("content", "refusal", "reasoning_content", "reasoning", "text")


class WholeAnswer:
    """One answer in one piece."""

    def __init__(self, finders: Finders) -> None:
        """*finders*: of the stage ``answer``."""
        self._finders = finders
        self.verdicts: list[Verdict] = []

    def piece(self, data: Json) -> list[Json]:
        """See `primeur.core.guards.AnswerGuard`."""
        for choice in _choices(data):
            try:
                _look_at(choice, self._finders, self.verdicts)
            except Blocked:
                _empty(choice)
        return [data]

    def finish(self) -> list[Json]:
        """Nothing was kept back."""
        return []


class StreamedAnswer:
    """One answer in many pieces."""

    def __init__(self, finders: Finders) -> None:
        """*finders*: of the stage ``answer``."""
        self._finders = finders
        self._kept: dict[tuple[int, str], str] = {}
        self._blocked: set[int] = set()
        self.verdicts: list[Verdict] = []

    def piece(self, data: Json) -> list[Json]:
        """See `primeur.core.guards.AnswerGuard`."""
        last: list[Json] = []
        for choice in _choices(data):
            number = choice.get("index") or 0
            choice.pop("logprobs", None)
            if number in self._blocked:
                _empty(choice, reason=None)
                continue
            try:
                for holder, name, slot, text in _texts(choice):
                    holder[name] = self._passed((number, slot), text)
                if choice.get("finish_reason") is not None:
                    last.append(self._ended(data, choice, number))
            except Blocked:
                self._blocked.add(number)
                _empty(choice)
        return [data, *last]

    def finish(self) -> list[Json]:
        """A stream that ends without a word of its end has nothing to give."""
        return []

    def _passed(self, key: tuple[int, str], text: str) -> str:
        """Give what may go on of what is kept back and *text*."""
        kept = self._kept.get(key, "") + text
        cut = _cut(kept, self._finders)
        self._kept[key] = kept[cut:]
        return look(kept[:cut], self._finders, self.verdicts)

    def _ended(self, data: Json, choice: Json, number: int) -> Json:
        """Put what is kept back of *choice* into it, and its end into an object of its own, which is given."""
        for key in [one for one in self._kept if one[0] == number]:
            _append(choice, key[1], look(self._kept.pop(key), self._finders, self.verdicts))
        nothing: Json = {"delta": {}} if "delta" in choice else {"text": ""}
        ending = choice | nothing
        choice["finish_reason"] = None
        return {**data, "choices": [ending]}


def _cut(text: str, finders: Finders) -> int:
    """Say up to where *text* can go on: nothing that is found, or may be once more has come, crosses this place."""
    cut = len(text) - _BACK
    if cut <= 0:
        return 0
    begun = text.rfind(_BLOCK_BEGINS, 0, cut)
    if begun >= 0 and not _BLOCK.match(text, begun) and len(text) - begun < _BACK_MOST:
        cut = begun
    white = max(text.rfind(sign, 0, cut) for sign in " \n\t")
    cut = white + 1 if white >= 0 or len(text) < _BACK_MOST else cut
    for finder in finders:
        for start, end in finder.form.spans(text):
            if start < cut < end:
                cut = start
    return cut


def _choices(data: Json) -> list[Json]:
    found = data.get("choices")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _texts(choice: Json) -> list[tuple[Json, str, str, str]]:
    """Every text of a choice: what holds it, its name there, what it goes on with over many pieces, and itself."""
    found: list[tuple[Json, str, str, str]] = []
    for holder in (choice, choice.get("message"), choice.get("delta")):
        if not isinstance(holder, dict):
            continue
        found += [(holder, name, name, holder[name]) for name in _WORDS if isinstance(holder.get(name), str)]
        calls = [one for one in holder.get("tool_calls") or () if isinstance(one, dict)]
        named = [(f"{_CALL}{one.get('index', place)}", one.get("function")) for place, one in enumerate(calls)]
        for slot, call in (*named, (_OLD_CALL, holder.get("function_call"))):
            if isinstance(call, dict) and isinstance(call.get("arguments"), str):
                found.append((call, "arguments", slot, call["arguments"]))
    return found


def _append(choice: Json, slot: str, text: str) -> None:
    """Let a piece of an answer say *text* at its end."""
    for holder, name, known, said in _texts(choice):
        if known == slot:
            holder[name] = said + text
            return
    if not text:
        return
    holder = choice.get("delta", choice)
    if slot.startswith(_CALL):
        call = {"index": int(slot.removeprefix(_CALL)), "function": {"arguments": text}}
        holder["tool_calls"] = [*(holder.get("tool_calls") or ()), call]
    elif slot == _OLD_CALL:
        holder["function_call"] = {"arguments": text}
    else:
        holder[slot] = text


def _look_at(choice: Json, finders: Finders, verdicts: list[Verdict]) -> None:
    for holder, name, _, text in _texts(choice):
        holder[name] = look(text, finders, verdicts)
    # Tokens with their probabilities would spell what was masked.
    choice.pop("logprobs", None)


def _empty(choice: Json, reason: str | None = _FILTERED) -> None:
    """Take a model's words away, and say why."""
    for holder, name, _, _ in _texts(choice):
        holder[name] = ""
    for said in (choice.get("message"), choice.get("delta")):
        if isinstance(said, dict):
            said.pop("tool_calls", None)
            said.pop("function_call", None)
    choice.pop("logprobs", None)
    choice["finish_reason"] = reason
