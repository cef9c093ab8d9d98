"""Simulations that were kept: their figures in a list, and one of them drawn."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from primeur.console import show
from primeur.console.api import Json
from primeur.console.desk import Page

SHARES = ("spill_share", "slack_met_share")
FIGURES = (
    "requests", "load", "seeds", "cost", "optimum_cost", "optimum_cost_without_right", "break_even_cost", "spill_share",
    "slack_met_share", "ratio_to_optimum", "price_of_exclusivity", "price_of_uncertainty", "contract_violations",
)  # fmt: skip
PLOTS = {"requests": ("work", "spill"), "procurement": ("units",)}
COSTS = ("optimum_cost_without_right", "optimum_cost", "cost", "break_even_cost")


async def show_simulations(page: Page) -> Response:
    """List them, newest first."""
    found = (await page.api.get("/api/v1/simulations"))["data"]
    lines = [one | {"shown": dict(_written(page, one["figures"]))} for one in found]
    return page.draw("simulations.html", found=lines)


async def show_simulation(page: Page) -> Response:
    """Draw one."""
    found = await page.api.get(f"/api/v1/simulations/{page.request.path_params['simulation_id']}")
    figures = found["figures"]
    costs = [(name, figures[name], _number(page, figures[name])) for name in COSTS if name in figures]
    return page.draw(
        "simulation.html",
        one=found,
        figures=_written(page, figures),
        reasons=sorted((figures.get("reasons") or {}).items()),
        series=_series(page, found["drawing"]),
        plots=[name for name in PLOTS[found["kind"]] if name in found["drawing"]["plots"]],
        costs=costs,
        dearest=max((amount or 0 for _, amount, _ in costs), default=0) or 1,
    )


def _series(page: Page, drawing: Json) -> dict[str, Any]:
    """Give the plots as the script draws them; moments count from the trace's beginning."""
    plots = {
        name: [line | {"label": page.say(f"simulations.line_{line['name']}")} for line in lines]
        for name, lines in drawing["plots"].items()
    }
    steps = max(len(line["values"]) for lines in plots.values() for line in lines)
    moments = [at * drawing["step_ms"] for at in range(steps)]
    return {"step_ms": drawing["step_ms"], "at_ms": moments, "plots": plots, "elapsed": True}


def _written(page: Page, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, _figure(page, name, figures[name])) for name in FIGURES if name in figures]


def _figure(page: Page, name: str, value: float | None) -> str:
    if name in SHARES and value is not None:
        return f"{show.decimal(100 * value, 2, page.words.language)}\u00a0%"
    return _number(page, value)


def _number(page: Page, value: float | None) -> str:
    language = page.words.language
    return show.count(value, language) if isinstance(value, int) else show.decimal(value, 3, language)
