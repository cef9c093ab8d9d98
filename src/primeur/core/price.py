"""What an answer costs its caller, in exact integers; pure."""

from dataclasses import dataclass

from primeur.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """What a deployment's tokens cost its caller.

    Attributes:
        input_nanos, cached_nanos, output_nanos: nano-units of *currency* per token.
    """

    id: str
    currency: str
    input_nanos: int
    cached_nanos: int
    output_nanos: int

    def cost(self, usage: Usage, _pictures: int) -> int:
        """Give the nanos that an answer to a prompt with so many pictures costs."""
        cached = min(usage.cached_tokens, usage.input_tokens)
        fresh = usage.input_tokens - cached
        return fresh * self.input_nanos + cached * self.cached_nanos + usage.output_tokens * self.output_nanos

    def most(self, read: int, written: int, _pictures: int) -> int:
        """Give the nanos that so many tokens and pictures can cost at most."""
        return read * max(self.input_nanos, self.cached_nanos) + written * self.output_nanos
