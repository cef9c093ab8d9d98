"""Solve procurement with known demand, by HiGHS, with and without the right; needs ``primeur[simulate]``."""

from collections.abc import Sequence

from primeur.broker.buying import Market
from primeur.core.errors import SetupError

try:
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, eye_array, hstack, vstack
except ModuleNotFoundError:
    raise SetupError(
        "the optimum of so long a trace in blocks of several days needs scipy; install it with: "
        "pip install 'primeur[simulate]', or give a shorter trace, or --block-days 1"
    ) from None

_SECONDS = 60.0
_GAP = 1e-6


def solve_procurement(
    demand: Sequence[float], market: Market, day_windows: int, block_days: int, *, holder_first: bool
) -> float:
    """Give the least cost of meeting demand, with every window of it known beforehand.

    Variables: units committed with the holder and with a third party from each day on, for *block_days* (h, t, both of
    any fraction), and units bought on demand in each window (o). Constraints: h + t under way + o cover the demand;
    h under way is at most what the holder has. With *holder_first*, a day's t is zero unless the holder is full on
    that day (a binary z): first refusal. Only the part of a block inside the horizon is paid, as for the policy.

    Args:
        demand: units, one number a window.

    Returns:
        cost, in the market's currency times windows (not hours).

    Raises:
        SetupError: HiGHS found no optimum in a minute.
    """
    windows, days = len(demand), -(-len(demand) // day_windows)
    cover = np.zeros((windows, days))
    for day in range(days):
        cover[day * day_windows : (day + block_days) * day_windows, day] = 1.0
    most = float(max(demand)) + 1.0
    lengths = cover.sum(axis=0)
    prices = np.concatenate(
        [market.holder * lengths, market.third * lengths, np.zeros(days), market.on_demand * np.ones(windows)]
    )
    under_way = csr_array(cover[np.minimum(np.arange(days) * day_windows, windows - 1)])
    none, one = csr_array((days, days)), eye_array(days)
    idle = csr_array((days, windows))
    rows = vstack(
        [
            hstack([csr_array(cover), csr_array(cover), csr_array((windows, days)), eye_array(windows)]),
            hstack([under_way, none, none, idle]),
            hstack([none, -one, most * one, idle]),
            hstack([under_way, none, -float(market.holder_units) * one, idle]),
        ]
    )
    lower = np.concatenate([np.asarray(demand, dtype=float), np.full(days, -np.inf), np.zeros(2 * days)])
    upper = np.concatenate(
        [np.full(windows, np.inf), np.full(days, float(market.holder_units)), np.full(2 * days, np.inf)]
    )
    if not holder_first:
        lower[windows + days :] = -np.inf
    ends = np.concatenate([np.full(2 * days, np.inf), np.ones(days), np.full(windows, np.inf)])
    whole = np.concatenate([np.zeros(2 * days), np.full(days, float(holder_first)), np.zeros(windows)])
    found = milp(
        prices,
        constraints=LinearConstraint(rows, lower, upper),
        bounds=Bounds(0.0, ends),
        integrality=whole,
        options={"time_limit": _SECONDS, "mip_rel_gap": _GAP},
    )
    if found.status != 0:
        raise SetupError(f"HiGHS found no optimum in {_SECONDS:.0f} s: {found.message}; give a shorter trace")
    # What HiGHS proves is its bound; taking it keeps the optimum a lower bound within the gap, too.
    proven = found.mip_dual_bound if holder_first else found.fun
    return float(proven)
