"""State machines as tables: checked in code, compared-and-set in SQL, drawn into the docs."""

from collections.abc import Mapping
from dataclasses import dataclass

from primeur.core.errors import Conflict


@dataclass(frozen=True, slots=True)
class Machine:
    """A table of (state, move) to state.

    Attributes:
        name: the thing that moves, as errors name it.
        moves: every allowed move; what is not in the table cannot happen.
    """

    name: str
    moves: Mapping[tuple[str, str], str]

    def after(self, state: str, move: str) -> str:
        """Give the state that *move* leads to.

        Raises:
            Conflict: the move is not possible from *state*.
        """
        found = self.moves.get((state, move))
        if found is None:
            possible = ", ".join(sorted(m for s, m in self.moves if s == state)) or "nothing"
            raise Conflict(f"a {self.name} that is {state} cannot {move}; possible: {possible}")
        return found

    @property
    def states(self) -> frozenset[str]:
        """All states, ends included."""
        return frozenset(state for state, _ in self.moves) | frozenset(self.moves.values())

    @property
    def ends(self) -> frozenset[str]:
        """The states that nothing leads out of."""
        return self.states - frozenset(state for state, _ in self.moves)
