"""Plain completions as OpenAI has them, out of llama.cpp's: echo, suffix, legacy log-probabilities, usage. Pure."""

from typing import Any

import msgspec

from primeur.core.chat import Ask, Json, Target
from primeur.core.wire import CompletionRequest

SUFFIX_FEATURE = "suffix="


def fim_words(target: Target) -> tuple[str, str, str] | None:
    """The model's fill-in-the-middle tokens: prefix, suffix, middle; None when it has none."""
    found = next((f for f in target.features if f.startswith(SUFFIX_FEATURE)), None)
    if found is None:
        return None
    prefix, suffix, middle = found.removeprefix(SUFFIX_FEATURE).split(" ")
    return prefix, suffix, middle


def needs_translation(fields: CompletionRequest) -> bool:
    """Whether llama.cpp's own answer would not do as it is."""
    return bool(
        fields.echo
        or fields.suffix
        or fields.stream
        or fields.logprobs is not None
        or fields.prompt is None
        or fields.best_of is not None
    )


class TextTranslation:
    """One plain completion on its way; fits `primeur.core.chat.Translation`."""

    def __init__(self, ask: Ask, fields: CompletionRequest, target: Target) -> None:
        """Write the body that llama.cpp reads."""
        self._fields, self._streams, self._wants_usage = fields, ask.streams, ask.wants_usage
        self._prompts = _texts(fields)
        self._offsets: dict[int, int] = {}
        self._last: Json = {}
        self.body = _body(ask, fields, fim_words(target), self._prompts)

    def piece(self, data: Json) -> list[Json]:
        """Turn the answer, or one chunk of it, into OpenAI's."""
        for choice in data.get("choices", []):
            self._choice(choice)
        if self._streams and "usage" in data:
            # OpenAI sends usage in a chunk of its own, llama.cpp in the chunk that ends the answer.
            self._last = {**data, "choices": []}
            del data["usage"]
        return [data]

    def finish(self) -> list[Json]:
        """Give the usage chunk, if it was asked for."""
        return [self._last] if self._last and self._wants_usage else []

    def _choice(self, choice: Json) -> None:
        index, text = choice["index"], choice.get("text", "")
        first = index not in self._offsets
        start = self._offsets.setdefault(index, 0)
        if self._fields.logprobs is not None and choice.get("logprobs"):
            choice["logprobs"] = legacy_logprobs(choice["logprobs"], start, self._fields.logprobs)
        if self._fields.echo and first:
            text = self._prompts[index // (self._fields.n or 1) % len(self._prompts)] + text
            choice["text"] = text
        self._offsets[index] = start + len(text)


def legacy_logprobs(given: Json, start: int, count: int) -> Json:
    """Turn log-probabilities in the chat form into the legacy form.

    Args:
        start: characters of the answer that came before.
        count: alternatives asked for; the chosen token comes on top of them.
    """
    entries = [entry for entry in given.get("content") or [] if entry["bytes"]]
    offsets = [start]
    for entry in entries:
        offsets.append(offsets[-1] + len(entry["token"]))
    return {
        "tokens": [entry["token"] for entry in entries],
        "token_logprobs": [entry["logprob"] for entry in entries],
        "top_logprobs": [_ranked(entry, count) for entry in entries],
        "text_offset": offsets[:-1],
    }


def _ranked(entry: Json, count: int) -> dict[str, float]:
    ranked = {other["token"]: other["logprob"] for other in entry.get("top_logprobs", [])[:count]}
    return {**ranked, entry["token"]: entry["logprob"]}


def _texts(fields: CompletionRequest) -> list[str]:
    if fields.prompt is None or isinstance(fields.prompt, str):
        return [fields.prompt or ""]
    return [part for part in fields.prompt if isinstance(part, str)]


def _body(ask: Ask, fields: CompletionRequest, words: tuple[str, str, str] | None, prompts: list[str]) -> bytes:
    data: dict[str, Any] = msgspec.json.decode(ask.body)
    for name in ("echo", "suffix", "best_of"):
        data.pop(name, None)
    if fields.prompt is None:
        data["prompt"] = ""
    if fields.logprobs == 0:
        data["logprobs"] = 1
    if fields.suffix and words:
        filled = [f"{words[0]}{prompt}{words[1]}{fields.suffix}{words[2]}" for prompt in prompts]
        data["prompt"] = filled if isinstance(fields.prompt, list) else filled[0]
    if ask.streams:
        data["stream_options"] = {"include_usage": True}
    return msgspec.json.encode(data)
