"""How long an answer will be: learned per deployment from the answers that are done."""

_LARGEST_PROMPT_BITS = 32


class Lengths:
    """Mean and variance of output tokens, by size class of the prompt (powers of two).

    A class that has seen nothing yet answers with what the deployment as a whole has shown. Old answers fade: each new
    one has a weight of at least 1 / *memory*.

    Source: West (1979), "Updating mean and variance estimates", with exponential forgetting.
    """

    __slots__ = ("_cells", "_memory", "_overall")

    def __init__(self, prior_tokens: float = 256.0, memory: int = 500) -> None:
        """Start with a guess.

        Args:
            prior_tokens: mean, and standard deviation, before the first answer.
            memory: answers after which an old one has faded to a third.
        """
        self._memory = memory
        self._overall = [prior_tokens, prior_tokens * prior_tokens, 1.0]
        self._cells = [[0.0, 0.0, 0.0] for _ in range(_LARGEST_PROMPT_BITS + 1)]

    def expect(self, input_tokens: int) -> list[float]:
        """Give mean (tokens), variance (tokens squared) and the weight behind them, for a prompt of this length."""
        cell = self._cells[input_tokens.bit_length()]
        return cell if cell[2] else self._overall

    def learn(self, input_tokens: int, output_tokens: int) -> None:
        """Take in one finished answer."""
        cell = self._cells[input_tokens.bit_length()]
        if not cell[2]:
            cell[:] = self._overall[0], self._overall[1], 1.0
        self._blend(cell, output_tokens)
        self._blend(self._overall, output_tokens)

    def _blend(self, cell: list[float], output_tokens: int) -> None:
        if cell[2] < self._memory:
            cell[2] += 1.0
        step = 1.0 / cell[2]
        surprise = output_tokens - cell[0]
        cell[0] += step * surprise
        cell[1] = (1.0 - step) * (cell[1] + step * surprise * surprise)
