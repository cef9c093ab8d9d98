"""Draw what a simulation found, as a PNG; needs the extra ``primeur[simulate]``."""

from collections.abc import Sequence
from pathlib import Path

from primeur.core.errors import SetupError
from primeur.walks.simulate_requests import Run

try:
    from matplotlib.figure import Figure
except ModuleNotFoundError:
    raise SetupError("drawing needs matplotlib; install it with: pip install 'primeur[simulate]'") from None

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


def save(figure: Figure, path: Path) -> None:
    """Write the picture.

    Raises:
        SetupError: the file cannot be written.
    """
    try:
        figure.savefig(path, dpi=120, format="png")
    except OSError as error:
        raise SetupError(f"cannot write {path}: {error.strerror}; choose another place with --plot") from None
