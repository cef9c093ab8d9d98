"""The least cost of buying capacity by somebody who knows all demand: exact, with and without the right."""

from collections.abc import Sequence
from math import inf

from primeur.broker.buying import Market
from primeur.broker.simplex import Cost, Simplex

_SLACK = 1e-7
_MOST_BRANCHES = 600
_MOST_DAYS = 31


def least_cost(
    demand: Sequence[float], market: Market, day_windows: int, block_days: int, *, holder_first: bool
) -> float:
    """Give the least cost of meeting demand, with every window of it known beforehand.

    Committed are any fraction of a unit with the holder and a third party from each day on, for *block_days*; the rest
    is bought on demand. The holder has at most what it has. With *holder_first*, a third party is committed from a day
    on only if the holder is full on that day; which days those are is searched by branch and bound.

    Args:
        demand: units, one number a window, oldest first.

    Returns:
        cost, in the market's currency times windows (not hours).

    Raises:
        ArithmeticError: blocks are longer than a day and the trace is too long to search all ways of buying.

    Source: Land and Doig (1960), "An automatic method of solving discrete programming problems".
    """
    days = [demand[start : start + day_windows] for start in range(0, len(demand), day_windows)]
    if block_days == 1 and len(days) > 1:
        # Then no day has to do with another one.
        return sum(least_cost(day, market, day_windows, 1, holder_first=holder_first) for day in days)
    if not days:
        return 0.0
    if len(days) > _MOST_DAYS:
        raise ArithmeticError(f"blocks of {block_days} days over {len(days)} days are beyond this search")
    root = _vertex(days, market, block_days)
    everything = market.on_demand * sum(demand)
    if not holder_first:
        return everything + root.solve()
    dear = 10.0 * market.on_demand * len(demand)
    best, open_branches = 0.0, [root]
    for _ in range(_MOST_BRANCHES):
        if not open_branches:
            return everything + best
        branch = open_branches.pop()
        saved = branch.solve()
        if saved >= best - _SLACK:
            continue
        day = _breach(branch, len(days))
        if day is None:
            best = saved
            continue
        # From this day on nobody else is committed; or, tried first, the holder is full on it.
        for variable in (len(days) + day, 3 * len(days) + day):
            after = branch.copy()
            after.costs[variable] = Cost((0.0, inf), (dear,))
            open_branches.append(after)
    raise ArithmeticError(f"no optimum found in {_MOST_BRANCHES} branches")


def _vertex(days: Sequence[Sequence[float]], market: Market, block_days: int) -> Simplex:
    """Start with nothing committed.

    Variables, for each day: the holder's and the third party's units from it on, units under way on it, and units that
    the holder has left on it. Equations, for each day: what is under way, and what the holder has left.
    """
    count = len(days)
    lengths = [sum(len(day) for day in days[start : start + block_days]) for start in range(count)]
    costs = [Cost((0.0, inf), (market.holder * length,)) for length in lengths]
    costs += [Cost((0.0, inf), (market.third * length,)) for length in lengths]
    costs += [_saved(day, market.on_demand) for day in days]
    costs += [Cost((0.0, inf), (0.0,))] * count
    table = []
    for day in range(count):
        under_way = [float(start <= day < start + block_days) for start in range(count)]
        here = [float(other == day) for other in range(count)]
        none = [0.0] * count
        table.append([*(-cell for cell in under_way + under_way), *here, *none])
        table.append([*under_way, *none, *none, *here])
    basis = [kind * count + day for day in range(count) for kind in (2, 3)]
    return Simplex(costs, table, [0.0, float(market.holder_units)] * count, basis)


def _saved(day: Sequence[float], on_demand: float) -> Cost:
    """What each further unit under way saves on a day: the windows in which it is wanted."""
    points, slopes, left = [0.0], [], len(day)
    for wanted in sorted(day):
        if wanted > points[-1]:
            slopes.append(-on_demand * left)
            points.append(wanted)
        left -= 1
    return Cost((*points, inf), (*slopes, 0.0))


def _breach(vertex: Simplex, days: int) -> int | None:
    """Give the first day from which a third party is committed although the holder is not full on it."""
    for day in range(days):
        if vertex.value(days + day) > _SLACK and vertex.value(3 * days + day) > _SLACK:
            return day
    return None
