"""What makes tokens, as the OpenAI face of our own engine processes sees it: prompts in, tokens out, many at a time."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec


class Draw(msgspec.Struct, frozen=True):
    """How the tokens of one answer are drawn.

    Attributes:
        max_tokens: tokens at most, at least 1.
        temperature: 0 takes the likeliest token.
        top_k, min_p, seed, repeat_penalty: None is the maker's default.
        ignore_eos: go on after the token that ends an answer.
        schema: JSON schema that the text must obey, as JSON; None when any text will do.
    """

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repeat_penalty: float | None = None
    ignore_eos: bool = False
    schema: str | None = None


class Made(NamedTuple):
    """One token.

    Attributes:
        logprob: natural logarithm of its probability; None when the maker does not say.
        finish: ``stop`` or ``length`` on the last one, else None.
    """

    token: int
    logprob: float | None
    finish: str | None = None


class Words(Protocol):
    """A vocabulary and a chat template."""

    def tokenize(self, text: str) -> list[int]:
        """Give the tokens of a text; words of the template such as ``<|user|>`` become their own tokens."""
        ...

    def bytes_of(self, token: int) -> bytes:
        """Give the UTF-8 bytes of one token, perhaps a part of a letter; nothing for tokens that are no text.

        Raises:
            ValueError: there is no such token.
        """
        ...

    def write_chat(self, messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> str:
        """Write a chat as the model reads it, up to where its answer begins.

        Raises:
            ValueError: the template cannot write these messages.
        """
        ...


class Stepper(Protocol):
    """Works on all answers under way, a step at a time; used by one thread only."""

    @property
    def words(self) -> Words:
        """Its vocabulary."""
        ...

    def add(self, number: int, prompt: Sequence[int], draw: Draw) -> None:
        """Take an answer on.

        Raises:
            ValueError: it cannot be made, in words for the caller.
        """
        ...

    def step(self) -> Iterable[tuple[int, list[Made]]]:
        """Work for a moment; gives what was made, by the answer's number."""
        ...

    def drop(self, number: int) -> None:
        """Work no more on an answer; one that is unknown or finished is left alone."""
        ...


class Making(Protocol):
    """One answer under way."""

    def __aiter__(self) -> AsyncIterator[list[Made]]:
        """Tokens as they are made.

        Raises:
            ValueError: the answer cannot be made.
            RuntimeError: the maker broke.
        """
        ...

    def cancel(self) -> None:
        """Nobody wants it any more."""
        ...
