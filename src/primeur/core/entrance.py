"""What a deployment does with each request at its door: its terms, and copies; an ask is `primeur.core.chat.Ask`."""

from typing import Any, Protocol

from primeur.core.usage import Usage


class Entrance(Protocol):
    """What a deployment's terms say to each request."""

    def check(self, ask: Any) -> None:
        """Let *ask* in, or raise."""
        ...

    def ended_at(self, now_ms: int) -> str:
        """Why every request is refused for good at *now_ms*; empty while they are let in."""
        ...

    def check_reserved(self, tokens: int, now_ms: int) -> None:
        """Let a request in that may take *tokens* of what is reserved, or raise."""
        ...

    def take(self, tokens: int, now_ms: int) -> None:
        """Note what a request that was let in may take."""
        ...

    def settle(self, held: int, usage: Usage | None, now_ms: int) -> None:
        """Put right what it took; None: nothing."""
        ...


class Mirroring(Protocol):
    """Copies requests to a revision on trial."""

    def copy(self, ask: Any) -> None:
        """Begin to copy *ask*, or not; never raises, never waits."""
        ...
