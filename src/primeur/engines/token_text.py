"""Tokens become text: letters that span tokens are joined, stop words end the answer and are held back. Pure."""

import codecs
from collections.abc import Sequence

from primeur.core.chat import Json
from primeur.engines.token_maker import Made, Words


class TextFlow:
    """The text of one answer as it grows.

    Attributes:
        finish: why it has ended; None while it goes on.
        tokens: how many were made.
    """

    def __init__(self, words: Words, stops: Sequence[str], *, logprobs: bool) -> None:
        """*stops*: the first of them in the text ends it; *logprobs*: entries are wanted."""
        self._words, self._stops, self._wants = words, stops, logprobs
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._entries: list[Json] = []
        self.finish: str | None = None
        self.tokens = 0

    def take(self, made: Sequence[Made]) -> tuple[str, list[Json]]:
        """Give the text that may leave now, and the log-probability entries of its tokens."""
        for one in made:
            if self.finish is not None:
                break
            self.tokens += 1
            raw = self._words.bytes_of(one.token)
            if self._wants:
                self._entries.append(_entry(raw, one.logprob))
            self._held += self._decode(raw, final=one.finish is not None)
            self.finish = self._stopped() or one.finish
        return self._released()

    def _stopped(self) -> str | None:
        places = [place for place in (self._held.find(stop) for stop in self._stops) if place >= 0]
        if not places:
            return None
        self._held = self._held[: min(places)]
        return "stop"

    def _released(self) -> tuple[str, list[Json]]:
        keep = 0 if self.finish is not None else self._may_be_stop()
        text, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        if keep:
            return text, []
        entries, self._entries = self._entries, []
        return text, entries

    def _may_be_stop(self) -> int:
        """Letters at the end that could be the beginning of a stop word."""
        longest = 0
        for stop in self._stops:
            for size in range(min(len(stop) - 1, len(self._held)), longest, -1):
                if self._held.endswith(stop[:size]):
                    longest = size
                    break
        return longest


def _entry(raw: bytes, logprob: float | None) -> Json:
    return {
        "token": raw.decode(errors="replace"),
        "logprob": -9999.0 if logprob is None else min(0.0, logprob),
        "bytes": list(raw),
        "top_logprobs": [],
    }
