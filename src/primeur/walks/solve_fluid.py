"""Solve the request-level bound as a linear program, to check the closed form; needs ``primeur[simulate]``."""

from collections.abc import Sequence
from itertools import pairwise

from primeur.core.errors import SetupError

try:
    from scipy.optimize import linprog
    from scipy.sparse import coo_array
except ModuleNotFoundError:
    raise SetupError("linear programs need scipy; install it with: pip install 'primeur[simulate]'") from None


def solve_fluid(arrivals_us: Sequence[int], work: Sequence[float], work_per_us: float, patience_us: int) -> float:
    """Give the least work that must be spilled, by HiGHS.

    Variables, for each request i: taken work x, 0 <= x <= its work; and backlog b after it, 0 <= b <= rate * patience.
    Constraints: b[i] >= b[i-1] - rate * gap + x[i], and b[i] >= x[i], for time that passed idle is gone. Objective:
    the most taken work.

    Returns:
        spilled work, work tokens.
    """
    count = len(work)
    gaps = [0, *(after - before for before, after in pairwise(arrivals_us))]
    rows = [*range(2 * count), *range(2 * count), *range(1, count)]
    columns = [*range(count), *range(count), *range(count, 2 * count), *range(count, 2 * count)]
    values = [1.0] * (2 * count) + [-1.0] * (2 * count) + [1.0] * (count - 1)
    table = coo_array((values, (rows, [*columns, *range(count, 2 * count - 1)])), shape=(2 * count, 2 * count)).tocsr()
    bounds = [(0.0, size) for size in work] + [(0.0, work_per_us * patience_us)] * count
    drained = [work_per_us * gap for gap in gaps] + [0.0] * count
    found = linprog([-1.0] * count + [0.0] * count, A_ub=table, b_ub=drained, bounds=bounds, method="highs")
    return float(sum(work) + found.fun)
