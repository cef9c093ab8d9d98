"""Engines: which are installed, and how fast each was with a model's version on this machine."""

import msgspec

from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.registry import rows
from primeur.registry.measurement_rows import Measurement, list_measurements
from primeur.store.database import Tx
from primeur.walks.measure_engine import LevelMeasured, NewMeasurement, choose_for, keep_measurement


class EngineView(msgspec.Struct, frozen=True, kw_only=True):
    """An engine that is installed."""

    name: str


class MeasurementView(msgspec.Struct, frozen=True, kw_only=True):
    """How fast an engine was.

    Attributes:
        chosen: what ``engine = "auto"`` takes for this version here.
    """

    engine: str
    machine: str
    here: bool
    chosen: bool
    reason: str
    levels: list[LevelMeasured]
    created_ms: int


class VersionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version; the newest when not given."""

    version: int | None = None


async def list_engines(visit: Visit) -> Answer:
    """``GET /api/v1/engines``."""
    return json_answer(Page([EngineView(name=name) for name in sorted(visit.house.engines)]))


async def show_measurements(visit: Visit) -> Answer:
    """``GET /api/v1/models/{model}/measurements``."""
    query = asked(visit, VersionQuery)

    def read(tx: Tx) -> list[MeasurementView]:
        version = rows.find_version(tx, rows.find_model(tx, visit.params["model"]), query.version)
        choice = choose_for(tx, visit.house, version)
        here = visit.house.place.machine
        return [_show(one, here, choice.engine, choice.reason) for one in list_measurements(tx, version.id)]

    return json_answer(Page(await visit.house.store.read(read)))


async def post_measurement(visit: Visit) -> Answer:
    """``POST /api/v1/models/{model}/measurements``: what was measured on the machine of this service."""
    made = await keep_measurement(visit.house, visit.caller, visit.params["model"], visit.read(NewMeasurement))
    return json_answer(_show(made, made.machine, "", ""), 201)


def _show(one: Measurement, here: str, chosen: str, reason: str) -> MeasurementView:
    measured = one.measured
    levels = [
        LevelMeasured(streams=n, tokens_per_s=speed, first_token_ms=measured.first_token_ms.get(n))
        for n, speed in measured.tokens_per_s.items()
    ]
    mine = one.machine == here
    taken = mine and measured.engine == chosen
    return MeasurementView(
        engine=measured.engine,
        machine=one.machine,
        here=mine,
        chosen=taken,
        reason=reason if taken else "",
        levels=levels,
        created_ms=one.created_ms,
    )


_MEASUREMENTS = "/api/v1/models/{model}/measurements"
DOORS = (
    Door("GET", "/api/v1/engines", list_engines, "List engines", "deployments:read", face="admin",
         gives=Page[EngineView]),
    Door("GET", _MEASUREMENTS, show_measurements, "Show how fast engines were", "models:read", face="admin",
         gives=Page[MeasurementView]),
    Door("POST", _MEASUREMENTS, post_measurement, "Keep how fast an engine was", "models:write",
         tells="EngineMeasured", face="admin", takes=NewMeasurement, gives=MeasurementView, status=201),
)  # fmt: skip
