"""Simulate procurement: what capacity costs by our policy, by a clairvoyant one, and without the right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from primeur.broker.buying import Market, break_even_bound, break_even_cost
from primeur.broker.clairvoyant import least_cost
from primeur.broker.rights import HOUR_MS
from primeur.core.errors import BadRequest
from primeur.walks.audit_procurement import audit_procurement
from primeur.walks.plan_procurement import Asked, Plan, market_of, right_of
from primeur.walks.read_demand import read_demands
from primeur.walks.replay_procurement import DAY_WINDOWS, WINDOW_HOURS, Day, Procurement

_SHOWN_BREACHES = 5
_UNITS = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """Costs, in the market's currency; see docs/rooms/broker.md for the exact meaning of each."""

    market: Market
    unit_work_per_s: float
    history_days: float
    judged_days: float
    demand: Sequence[float]
    days: Sequence[Day]
    cost: float
    optimum_with_right: float
    optimum_without_right: float
    break_even: float
    break_even_bound: float
    breaches: Sequence[str]
    refused: int


def simulate_procurement(
    trace: Path, history: Path | None, asked: Asked, tell: Callable[[int, int], None] | None = None
) -> Outcome:
    """Fit on the history, buy for the trace day by day, and compare.

    Raises:
        BadRequest: the options or traces cannot be used.
        SetupError: the optimum needs HiGHS, and scipy is not installed or found nothing; see `optimum_of`.
    """
    asked.check()
    earlier, later = read_demands(history, trace, asked.output_weight)
    basis = earlier.work_per_s or later.work_per_s
    mean = sum(basis) / len(basis)
    if mean <= 0:
        raise BadRequest(f"{(history or trace).name} holds no demand at all; give a trace with work in it")
    unit = asked.unit_work_per_s or mean / _UNITS
    past, demand = ([work / unit for work in part.work_per_s] for part in (earlier, later))
    if max([*past, *demand]) > 100_000:
        raise BadRequest("demand is above 100000 units; give a larger --unit")
    market = market_of(asked, mean / unit)
    right = right_of(asked)
    plan = Plan(
        asked.block_days,
        right,
        asked.lookback_days,
        round(asked.answer_hours * HOUR_MS),
        asked.silent_every,
        asked.duplicates,
        asked.price_change_day,
        outage_days=asked.outage_days,
    )
    procurement = Procurement(past, demand, market, plan)
    ledger = procurement.run((lambda day: tell(day, procurement.days)) if tell is not None else None)
    block = asked.block_days * DAY_WINDOWS
    free = market_of(asked, mean / unit, freely=True)
    return Outcome(
        market=market,
        unit_work_per_s=unit,
        history_days=len(past) / DAY_WINDOWS,
        judged_days=len(demand) / DAY_WINDOWS,
        demand=demand,
        days=ledger.days,
        cost=sum(day.committed_cost + day.on_demand_cost for day in ledger.days),
        optimum_with_right=optimum_of(demand, market, asked.block_days, holder_first=True),
        optimum_without_right=optimum_of(demand, free, asked.block_days, holder_first=False),
        break_even=break_even_cost(demand, WINDOW_HOURS, block, market),
        break_even_bound=break_even_bound(market),
        breaches=audit_procurement(ledger.told, right, market.holder_units),
        refused=len(ledger.refused),
    )


def optimum_of(demand: Sequence[float], market: Market, block_days: int, *, holder_first: bool) -> float:
    """Give the least cost of somebody who knows all demand: by our own search, and by HiGHS where that is too long.

    Raises:
        SetupError: HiGHS is needed, and scipy is not installed or found nothing.
    """
    try:
        windows = least_cost(demand, market, DAY_WINDOWS, block_days, holder_first=holder_first)
    except ArithmeticError:
        # scipy is an extra and slow to load.
        highs = import_module("primeur.walks.solve_procurement")
        windows = highs.solve_procurement(demand, market, DAY_WINDOWS, block_days, holder_first=holder_first)
    return windows * WINDOW_HOURS


def summarise_procurement(outcome: Outcome, asked: Asked) -> dict[str, object]:
    """Put the figures together as scripts read them."""
    uncertainty = _over(outcome.cost, outcome.optimum_with_right)
    return {
        "cost": outcome.cost,
        "optimum_cost": outcome.optimum_with_right,
        "ratio_to_optimum": uncertainty,
        "optimum_cost_without_right": outcome.optimum_without_right,
        "ratio_to_optimum_without_right": _over(outcome.cost, outcome.optimum_without_right),
        "price_of_exclusivity": _over(outcome.optimum_with_right, outcome.optimum_without_right),
        "price_of_uncertainty": uncertainty,
        "break_even_cost": outcome.break_even,
        "break_even_bound": outcome.break_even_bound,
        "contract_violations": len(outcome.breaches),
        "breaches": list(outcome.breaches[:_SHOWN_BREACHES]),
        "refused_commands": outcome.refused,
        "history_days": outcome.history_days,
        "judged_days": outcome.judged_days,
        "block_days": asked.block_days,
        "mode": asked.mode.value,
        "unit_work_per_s": outcome.unit_work_per_s,
        "holder_units": outcome.market.holder_units,
        "committed_cost": sum(day.committed_cost for day in outcome.days),
        "on_demand_cost": sum(day.on_demand_cost for day in outcome.days),
    }


def _over(cost: float, least: float) -> float | None:
    if least > 0:
        return cost / least
    return 1.0 if cost == 0 else None
