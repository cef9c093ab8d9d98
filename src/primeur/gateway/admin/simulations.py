"""Simulations: what `primeur simulate` found and kept, for others to see and draw."""

from typing import Annotated, Any, Literal

import msgspec

from primeur.broker.simulation_rows import Found, SimulationRow, find_simulation, list_simulations
from primeur.core.errors import BadRequest
from primeur.gateway.admin.page import Page
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.keep_simulation import keep_found

STEPS_MOST = 750
_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Figure = float | int | _Text | None
_Figures = Annotated[dict[_Text, _Figure | dict[_Text, int]], msgspec.Meta(max_length=64)]
_Values = Annotated[list[float], msgspec.Meta(max_length=STEPS_MOST)]


class DrawnLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a plot, a value for each step."""

    name: Annotated[str, msgspec.Meta(max_length=40)]
    values: _Values


class Drawing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is drawn: plots over the time of the trace.

    Attributes:
        step_ms: length of a step; the first begins with the trace.
    """

    step_ms: Annotated[int, msgspec.Meta(ge=1, le=400 * 86_400_000)]
    plots: Annotated[
        dict[str, Annotated[list[DrawnLine], msgspec.Meta(min_length=1, max_length=4)]],
        msgspec.Meta(min_length=1, max_length=4),
    ]


class NewSimulation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a simulation found; *figures* are those of ``primeur simulate --json``, lists left out."""

    kind: Literal["requests", "procurement"]
    trace: _Text
    figures: _Figures
    drawing: Drawing


class SimulationLine(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation in a list, without its drawing."""

    id: str
    kind: str
    trace: str
    created_ms: int
    figures: _Figures


class SimulationView(SimulationLine, frozen=True, kw_only=True):
    """A simulation with its drawing."""

    drawing: Drawing


async def post_simulation(visit: Visit) -> Answer:
    """``POST /api/v1/simulations``."""
    ask = visit.read(NewSimulation)
    if len({len(line.values) for lines in ask.drawing.plots.values() for line in lines}) > 1:
        raise BadRequest("all lines of a drawing have a value for each step; make them equally long", param="drawing")
    found = Found(ask.kind, ask.trace, ask.figures, msgspec.to_builtins(ask.drawing))
    return json_answer(_whole(await keep_found(visit.house, visit.caller, found)), 201)


async def get_simulations(visit: Visit) -> Answer:
    """``GET /api/v1/simulations``: newest first."""
    return json_answer(Page([_line(row) for row in await visit.house.store.read(list_simulations)]))


async def get_simulation(visit: Visit) -> Answer:
    """``GET /api/v1/simulations/{id}``."""
    name = visit.params["id"]
    return json_answer(_whole(await visit.house.store.read(lambda tx: find_simulation(tx, name))))


def _line(row: SimulationRow) -> SimulationLine:
    return SimulationLine(**_fields(row))


def _whole(row: SimulationRow) -> SimulationView:
    return SimulationView(**_fields(row), drawing=msgspec.convert(row.found.drawing, Drawing))


def _fields(row: SimulationRow) -> dict[str, Any]:
    found = row.found
    return {
        "id": row.id,
        "kind": found.kind,
        "trace": found.trace,
        "created_ms": row.created_ms,
        "figures": dict(found.figures),
    }


_AT = "/api/v1/simulations"
DOORS = (
    Door("GET", _AT, get_simulations, "List simulations that were kept", "capacity:read", face="admin",
         gives=Page[SimulationLine]),
    Door("GET", f"{_AT}/{{id}}", get_simulation, "Show a simulation and its drawing", "capacity:read", face="admin",
         gives=SimulationView),
    Door("POST", _AT, post_simulation, "Keep what a simulation found", "capacity:write", tells="SimulationKept",
         face="admin", takes=NewSimulation, gives=SimulationView, status=201),
)  # fmt: skip
