"""Least cost under linear equations where each variable's cost is convex and made of straight pieces.

Source: Fourer (1985), "A simplex algorithm for piecewise-linear programming I".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

_ZERO = 1e-9
_MOST_STEPS = 200_000
# After so many steps without progress the first fitting column is taken instead of the steepest (Bland's rule).
_PATIENCE = 50


@dataclass(frozen=True, slots=True)
class Cost:
    """What a variable costs: from each point to the next one, its slope; the slopes never fall.

    Attributes:
        points: lowest and highest value, and where the slope changes between; the last may be infinite.
        slopes: one fewer than the points.
    """

    points: Sequence[float]
    slopes: Sequence[float]


@dataclass
class Simplex:
    """A vertex of the region *table* x = *values*, and the walk from it to the cheapest one.

    Attributes:
        table: one row an equation, one column a variable; the columns of *basis* are an identity.
        values: the present value of each row's basic variable.
        basis: the basic variable of each row.
        place: of a basic variable, the piece it is on; of another one, the point it is at.
    """

    costs: list[Cost]
    table: list[list[float]]
    values: list[float]
    basis: list[int]
    place: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with every variable at its lowest value."""
        self.place = self.place or [0] * len(self.costs)

    def copy(self) -> "Simplex":
        """Give another walker at the same vertex."""
        table = [row.copy() for row in self.table]
        return Simplex(self.costs.copy(), table, self.values.copy(), self.basis.copy(), self.place.copy())

    def value(self, variable: int) -> float:
        """Give a variable's present value."""
        if variable in self.basis:
            return self.values[self.basis.index(variable)]
        return self.costs[variable].points[self.place[variable]]

    def total(self) -> float:
        """Give the present cost, counted from each variable's lowest value."""
        return sum(_cost_at(cost, self.value(variable)) for variable, cost in enumerate(self.costs))

    def solve(self) -> float:
        """Walk to the cheapest vertex; gives its cost.

        Raises:
            ArithmeticError: the cost has no lower bound, or rounding keeps the walk from ending.
        """
        idle = 0
        for _ in range(_MOST_STEPS):
            entering = self._entering(first=idle > _PATIENCE)
            if entering is None:
                return self.total()
            idle = 0 if self._step(*entering) > _ZERO else idle + 1
        raise ArithmeticError(f"no least cost found in {_MOST_STEPS} steps")

    def _entering(self, *, first: bool) -> tuple[int, int] | None:
        """Give the variable whose move lowers the cost most for its size, and its direction; None: there is none."""
        slopes = [self.costs[basic].slopes[self.place[basic]] for basic in self.basis]
        priced = [0.0] * len(self.costs)
        for slope, row in zip(slopes, self.table, strict=True):
            if slope:
                priced = [price + slope * cell for price, cell in zip(priced, row, strict=True)]
        basic = set(self.basis)
        best, found = -1e-7 * max(1.0, *map(abs, slopes)), None
        for variable, cost in enumerate(self.costs):
            if variable in basic:
                continue
            at = self.place[variable]
            up = cost.slopes[at] - priced[variable] if at < len(cost.slopes) else inf
            down = priced[variable] - cost.slopes[at - 1] if at else inf
            gain, direction = (up, 1) if up <= down else (down, -1)
            if gain < best:
                best, found = gain, (variable, direction)
                if first:
                    break
        return found

    def _step(self, entering: int, direction: int) -> float:
        """Move a variable until it, or a basic one, comes to a point where its slope changes; gives how far."""
        at = self.place[entering]
        points = self.costs[entering].points
        furthest, leaving = abs(points[at + direction] - points[at]), None
        for line, row in enumerate(self.table):
            change = -direction * row[entering]
            if abs(change) <= _ZERO:
                continue
            piece = self.place[self.basis[line]]
            end = self.costs[self.basis[line]].points[piece + (change > 0)]
            room = max(0.0, (end - self.values[line]) / change)
            if room < furthest - _ZERO or (room <= furthest and leaving is None):
                furthest, leaving = room, line
        if furthest == inf:
            raise ArithmeticError("the cost has no lower bound")
        for line, row in enumerate(self.table):
            self.values[line] -= direction * row[entering] * furthest
        if leaving is None:
            self.place[entering] = at + direction
        else:
            self._pivot(entering, direction, leaving, points[at] + direction * furthest)
        return furthest

    def _pivot(self, entering: int, direction: int, leaving: int, value: float) -> None:
        rises = direction * self.table[leaving][entering] < 0
        self.place[self.basis[leaving]] += rises
        self.place[entering] -= direction < 0
        self.basis[leaving], self.values[leaving] = entering, value
        scale = self.table[leaving][entering]
        pivot = self.table[leaving] = [cell / scale for cell in self.table[leaving]]
        for line, row in enumerate(self.table):
            factor = row[entering]
            if line != leaving and factor:
                self.table[line] = [cell - factor * by for cell, by in zip(row, pivot, strict=True)]


def _cost_at(cost: Cost, value: float) -> float:
    total = 0.0
    for low, high, slope in zip(cost.points, cost.points[1:], cost.slopes, strict=False):
        if value <= low:
            break
        total += slope * (min(value, high) - low)
    return total
