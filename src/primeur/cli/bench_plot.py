"""Plots of a bench: bars in the terminal, and a PNG by matplotlib where it is installed."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from primeur.core.errors import SetupError
from primeur.metering.benchmarks import Level, Spread

_WIDTH = 48
_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"
_FULL = "\u2588"
# Each percentile is a part of the bar of its own shade, told apart without colours, too.
_SHADES = (("\u2588", "cyan"), ("\u2593", "blue"), ("\u2591", "magenta"))
_BLUE, _ORANGE, _RED, _GREY = "#2563eb", "#d97706", "#dc2626", "#64748b"


def draw(levels: Sequence[Level]) -> Table:
    """Draw all three measures over concurrency, one under the other."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", style="bold")
    table.add_column(width=_WIDTH)
    table.add_column(justify="right")
    most = max((level.tokens_per_s for level in levels), default=0.0)
    table.add_row("", Text("tokens a second", style="bold"), "")
    for level in levels:
        bar = Text(solid_bar(level.tokens_per_s, most), style="green")
        table.add_row(str(level.concurrency), bar, f"{level.tokens_per_s:,.1f}")
    _panel(table, levels, "first token, ms", lambda level: level.first_token_ms)
    _panel(table, levels, "between tokens, ms", lambda level: level.between_tokens_ms)
    return table


def _panel(table: Table, levels: Sequence[Level], title: str, measure: Callable[[Level], Spread]) -> None:
    legend = Text.assemble(
        (title, "bold"), *(part for sign, name in zip(_SHADES, ("p50", "p95", "p99"), strict=True)
                           for part in ("  ", sign, f" {name}"))
    )  # fmt: skip
    table.add_row("", "", "")
    table.add_row("", legend, "")
    most = max((measure(level).p99 or 0.0 for level in levels), default=0.0)
    for level in levels:
        found = measure(level)
        table.add_row(str(level.concurrency), spread_bar(found, most), show_spread(found))


def solid_bar(value: float, most: float, width: int = _WIDTH) -> str:
    """A bar to an eighth of a character; *most* fills *width*."""
    eighths = round(8 * width * value / most) if most else 0
    return _FULL * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def spread_bar(found: Spread, most: float, width: int = _WIDTH) -> Text:
    """One bar of three shades: up to p50, on to p95, on to p99."""
    bar, drawn = Text(), 0
    for value, (sign, colour) in zip((found.p50, found.p95, found.p99), _SHADES, strict=True):
        end = round(width * (value or 0.0) / most) if most else 0
        bar.append(sign * (end - drawn), colour)
        drawn = max(drawn, end)
    return bar


def show_spread(found: Spread) -> str:
    """The three percentiles in figures."""
    return " / ".join(_figure(value) for value in (found.p50, found.p95, found.p99))


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def check_png(path: Path) -> None:
    """Say before anything is measured that no PNG could be drawn.

    Raises:
        SetupError: matplotlib is missing, or the folder is.
    """
    if find_spec("matplotlib") is None:
        raise SetupError("--png needs matplotlib; install it with: pip install 'primeur[plot]'")
    if not path.absolute().parent.is_dir():
        raise SetupError(f"{path.absolute().parent} is no folder; choose another place for --png")


def draw_png(levels: Sequence[Level], title: str, path: Path) -> None:
    """Draw the same as a picture of three panels."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (an extra of 60 MB that nothing else needs)

    figure = Figure(figsize=(12, 4.2), dpi=150, layout="constrained")
    figure.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left")
    speed, first, between = figure.subplots(1, 3)
    places = [level.concurrency for level in levels]
    speed.plot(places, [level.tokens_per_s for level in levels], marker="o", color=_BLUE, linewidth=2)
    for level in levels:
        speed.annotate(f"{level.tokens_per_s:,.0f}", (level.concurrency, level.tokens_per_s), xytext=(0, 7),
                       textcoords="offset points", ha="center", fontsize=8, color=_GREY)  # fmt: skip
    _dress(speed, places, "Tokens a second")
    _percentiles(first, places, [level.first_token_ms for level in levels], "First token, ms")
    _percentiles(between, places, [level.between_tokens_ms for level in levels], "Between tokens, ms")
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from None


def _percentiles(axes: Any, places: list[int], found: list[Spread], title: str) -> None:
    for name, colour in (("p50", _BLUE), ("p95", _ORANGE), ("p99", _RED)):
        axes.plot(places, [getattr(one, name) for one in found], marker="o", color=colour, linewidth=2, label=name)
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper left")
    _dress(axes, places, title)


def _dress(axes: Any, places: list[int], title: str) -> None:
    axes.set_title(title, fontsize=10, loc="left", color=_GREY)
    axes.set_xscale("log", base=2)
    axes.set_xticks(places, [str(place) for place in places])
    axes.set_xlabel("requests at a time", fontsize=9, color=_GREY)
    axes.set_ylim(0, 1.2 * axes.get_ylim()[1])
    axes.grid(axis="y", color="#e2e8f0")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_GREY, labelsize=8)
    axes.minorticks_off()
