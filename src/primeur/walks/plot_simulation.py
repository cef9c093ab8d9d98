"""Sum up what a simulation found in steps, few enough to keep and to plot."""

from collections.abc import Mapping, Sequence
from typing import Any

from primeur.walks.replay_procurement import DAY_WINDOWS, WINDOW_MS
from primeur.walks.simulate_procurement import Outcome
from primeur.walks.simulate_requests import BLOCK_US, Run

STEPS_MOST = 500


def plot_requests(run: Run) -> dict[str, Any]:
    """Give work by step of arrival: who served it, and what went elsewhere beside the least that had to."""
    each = -(-len(run.served_by_minute) // STEPS_MOST)
    served, spilled, optimum = (
        [round(sum(part), 3) for part in _parts(amounts, each)]
        for amounts in (run.served_by_minute, run.spilled_by_minute, run.optimum_by_minute)
    )
    plots = {
        "work": [_line("holder", served), _line("elsewhere", spilled)],
        "spill": [_line("elsewhere", spilled), _line("optimum", optimum)],
    }
    return {"step_ms": each * BLOCK_US // 1000, "plots": plots}


def plot_procurement(outcome: Outcome) -> dict[str, Any]:
    """Give units by step: what was wanted, and what was committed with whom."""
    each = -(-len(outcome.demand) // STEPS_MOST)
    days = [outcome.days[min(at // DAY_WINDOWS, len(outcome.days) - 1)] for at in range(len(outcome.demand))]
    lines = {
        "demand": outcome.demand,
        "committed_holder": [day.holder_units for day in days],
        "committed_all": [day.holder_units + day.third_units for day in days],
    }
    units = [
        _line(name, [round(sum(part) / len(part), 3) for part in _parts(amounts, each)])
        for name, amounts in lines.items()
    ]
    return {"step_ms": each * WINDOW_MS, "plots": {"units": units}}


def figures_of(summary: Mapping[str, object]) -> dict[str, object]:
    """Give the figures alone, without what is listed run by run."""
    return {name: value for name, value in summary.items() if not isinstance(value, list)}


def _line(name: str, values: Sequence[float]) -> dict[str, Any]:
    return {"name": name, "values": values}


def _parts(amounts: Sequence[float], each: int) -> list[Sequence[float]]:
    return [amounts[at : at + each] for at in range(0, len(amounts), each)]
