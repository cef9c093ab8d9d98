"""Turn limits and budgets into the gates that requests pass."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from primeur.core.caller import Budget, Gate, Limits
from primeur.governance.budget_rows import BudgetRow

_NONE = Limits()


@dataclass(frozen=True, slots=True)
class Gates:
    """What stands in the way of each scope, by its kind and its id (a deployment: its name)."""

    limits: Mapping[tuple[str, str], Limits] = field(default_factory=dict)
    budgets: Mapping[tuple[str, str], tuple[Budget, ...]] = field(default_factory=dict)

    def gate(self, scope: str, scope_id: str, own: Limits | None = None) -> Gate | None:
        """Give the gate of a scope; None where there is nothing to count.

        Args:
            own: limits that the scope carries in its own row.
        """
        place = (scope, scope_id)
        limits, budgets = own or self.limits.get(place, _NONE), self.budgets.get(place, ())
        if limits == _NONE and not budgets:
            return None
        return Gate(f"{scope}:{scope_id}", limits, budgets)

    def of(self, *scopes: tuple[str, str, Limits | None]) -> tuple[Gate, ...]:
        """Give the gates of several scopes."""
        found = (self.gate(scope, scope_id, own) for scope, scope_id, own in scopes)
        return tuple(gate for gate in found if gate is not None)


def compile_gates(limits: Mapping[tuple[str, str], Limits], rows: Iterable[BudgetRow]) -> Gates:
    """Sort budgets by what they bound."""
    budgets: dict[tuple[str, str], tuple[Budget, ...]] = {}
    for row in rows:
        place = (row.scope, row.scope_id)
        budgets[place] = (*budgets.get(place, ()), row.budget)
    return Gates(limits, budgets)
