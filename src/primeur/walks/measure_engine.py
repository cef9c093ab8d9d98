"""Keep how fast an engine was with a version on this machine, and choose by it."""

from typing import Annotated

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import EngineMeasured
from primeur.core.ids import make_id
from primeur.registry import measurement_rows, rows
from primeur.registry.engine_choice import Choice, Measured, choose_engine, default_engine
from primeur.registry.measurement_rows import Measurement
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House

_Figure = Annotated[float, msgspec.Meta(gt=0, lt=1e9)]


class LevelMeasured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many streams at a time.

    Attributes:
        tokens_per_s: output tokens of all of them together.
        first_token_ms: median.
    """

    streams: Annotated[int, msgspec.Meta(ge=1, le=1024)]
    tokens_per_s: _Figure
    first_token_ms: _Figure | None = None


class NewMeasurement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was measured on the machine of this service.

    Attributes:
        version: number of the model's version; the newest when not given.
    """

    engine: str
    version: int | None = None
    levels: Annotated[list[LevelMeasured], msgspec.Meta(min_length=1, max_length=64)]


async def keep_measurement(house: House, caller: Caller, model: str, new: NewMeasurement) -> Measurement:
    """Keep what was measured, in place of what was known of this engine, version and machine.

    Raises:
        NotFound: there is no such model or version.
        BadRequest: the engine is not installed here.
    """
    if new.engine not in house.engines:
        known = ", ".join(sorted(house.engines)) or "none"
        raise BadRequest(f"there is no engine {new.engine!r}; installed: {known}", param="engine")
    speeds = {level.streams: level.tokens_per_s for level in new.levels}
    firsts = {level.streams: level.first_token_ms for level in new.levels if level.first_token_ms is not None}

    def work(tx: Tx) -> Measurement:
        version = rows.find_version(tx, rows.find_model(tx, model), new.version)
        now_ms = house.clock.now_ms()
        number = make_id("measurement", now_ms, house.entropy)
        made = Measurement(number, version.id, house.place.machine, Measured(new.engine, speeds, firsts), now_ms)
        measurement_rows.keep_measurement(tx, made)
        told = EngineMeasured(version.id, new.engine, house.place.machine)
        tell(tx, told, actor=actor_of(caller), at_ms=now_ms)
        return made

    return await house.store.transact(work)


def choose_for(tx: Tx, house: House, version: rows.Version) -> Choice:
    """Choose the engine for a version by what was measured on this machine."""
    found = measurement_rows.list_measurements(tx, version.id)
    here = [one.measured for one in found if one.machine == house.place.machine]
    return choose_engine(here, frozenset(house.engines), default_engine(version.format))
