"""What a guard says and what it must be able to do; the room `primeur.trust` makes guards of rules."""

from typing import Any, Literal, Protocol

import msgspec

Stage = Literal["prompt", "answer"]
Action = Literal["allow", "mask", "block"]
Images = Literal["fetch", "refuse"]


class Verdict(msgspec.Struct, frozen=True, order=True):
    """One rule found something.

    Attributes:
        action: what was done about it; ``allow`` passes it on and tells of it.
        count: how often.
    """

    stage: Stage
    rule: str
    action: Action
    count: int = 1


class AnswerGuard(Protocol):
    """Looks at one answer, whole or piece by piece.

    Attributes:
        verdicts: what was found so far.
    """

    verdicts: list[Verdict]

    def piece(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Turn one object of the answer into what the caller gets: none, one or several."""
        ...

    def finish(self) -> list[dict[str, Any]]:
        """Give what was kept back of a stream that has ended."""
        ...


class Guard(Protocol):
    """The rules of one deployment, compiled.

    Attributes:
        images: what becomes of images by URL.
    """

    images: Images

    def prompt(self, body: bytes) -> tuple[bytes, list[Verdict]]:
        """Look at what is asked; gives the body, with what is to be masked masked.

        Raises:
            BadRequest: the prompt is longer than it may be, or holds tokens in place of text.
        """
        ...

    def answer(self, *, streams: bool) -> AnswerGuard | None:
        """Open a look at one answer; None where no rule concerns answers."""
        ...

    def judge(self, text: str) -> dict[str, bool]:
        """Say of every rule, for prompts or for answers, whether it finds something in *text* as it stands."""
        ...
