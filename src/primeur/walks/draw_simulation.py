"""Draw what a simulation found, as a PNG; needs the extra ``primeur[simulate]``."""

from collections.abc import Sequence
from pathlib import Path

from primeur.core.errors import SetupError
from primeur.walks.simulate_procurement import Outcome
from primeur.walks.simulate_requests import Run

try:
    from matplotlib.figure import Figure
except ModuleNotFoundError:
    raise SetupError("drawing needs matplotlib; install it with: pip install 'primeur[simulate]'") from None

_WINDOWS_A_DAY = 144
_HOLDER, _ELSEWHERE, _OPTIMUM = "#1b6e6a", "#d9822b", "#333333"


def draw_requests(path: Path, runs: Sequence[Run]) -> None:
    """Draw the first replay: work by minute, served by the holder and elsewhere, and the optimum's line between.

    Raises:
        SetupError: the file cannot be written.
    """
    run = runs[0]
    minutes = range(len(run.served_by_minute))
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.subplots()
    labels = ["holder, in time", "elsewhere or late"]
    axes.stackplot(
        minutes, run.served_by_minute, run.spilled_by_minute, labels=labels, colors=[_HOLDER, _ELSEWHERE], alpha=0.85
    )
    offered = [sum(pair) for pair in zip(run.served_by_minute, run.spilled_by_minute, strict=True)]
    best = [all_of - floor for all_of, floor in zip(offered, run.optimum_by_minute, strict=True)]
    axes.plot(minutes, best, color=_OPTIMUM, linewidth=1, linestyle="--", label="the optimum keeps below this line")
    axes.set(xlabel="minute of arrival", ylabel="work tokens", title="Who served what arrived in each minute")
    axes.legend(loc="upper right", frameon=False)
    save(figure, path)


def draw_procurement(path: Path, outcome: Outcome) -> None:
    """Draw demand in units by the day, what was committed with whom, and what each way of buying costs.

    Raises:
        SetupError: the file cannot be written.
    """
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    units, costs = figure.subplots(1, 2, width_ratios=[2, 1])
    days = range(len(outcome.days))
    held = [day.holder_units for day in outcome.days]
    units.bar(days, held, 1.0, color=_HOLDER, align="edge", label="committed, holder")
    third = [day.third_units for day in outcome.days]
    units.bar(days, third, 1.0, bottom=held, color=_ELSEWHERE, align="edge", label="committed, third")
    steps = [n / _WINDOWS_A_DAY for n in range(len(outcome.demand))]
    units.plot(steps, outcome.demand, color=_OPTIMUM, linewidth=0.7, label="demand")
    units.set(xlabel="day", ylabel="units", title="Capacity by day")
    units.legend(loc="upper right", frameon=False)
    bars = {
        "optimum,\nno right": outcome.optimum_without_right,
        "optimum,\nright": outcome.optimum_with_right,
        "policy": outcome.cost,
        "break-\neven": outcome.break_even,
    }
    costs.bar(list(bars), list(bars.values()), color=[_OPTIMUM, _OPTIMUM, _HOLDER, _ELSEWHERE])
    costs.set(title="Cost")
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write the picture.

    Raises:
        SetupError: the file cannot be written.
    """
    try:
        figure.savefig(path, dpi=120, format="png")
    except OSError as error:
        raise SetupError(f"cannot write {path}: {error.strerror}; choose another place with --plot") from None
