"""Usage over time, for plots."""

from typing import Annotated, Literal

import msgspec

from primeur.core.errors import BadRequest
from primeur.gateway.admin.page import asked
from primeur.gateway.admin.usage import Moment
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.rules import visible_project
from primeur.metering.series_rows import Series, Step, Wait, read_series
from primeur.metering.traffic_rows import read_traffic
from primeur.metering.usage_rows import DAY_MS
from primeur.store.database import Tx
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import choose_project

STEPS_MOST = 750
_HOUR_MS, _WEEK_MS = 3_600_000, 7 * DAY_MS
_NOTHING = Step()
_NO_WAIT = Wait(None, None, None, None)


class SeriesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to sum up.

    Attributes:
        from_ms, to_ms: UTC milliseconds, the second not included; the last 7 days when not given.
        step_ms: length of a step, at least a minute.
    """

    by: Literal["key", "deployment", "project", "model"] = "deployment"
    from_ms: Moment | None = None
    to_ms: Moment | None = None
    step_ms: Annotated[int, msgspec.Meta(ge=60_000, le=366 * DAY_MS)] = DAY_MS
    project: str = ""


class TrafficQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which span of traffic; the last hour, a minute a step, when not given."""

    from_ms: Moment | None = None
    to_ms: Moment | None = None
    step_ms: Annotated[int, msgspec.Meta(ge=60_000, le=366 * DAY_MS)] = 60_000


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """One group's use, a value for each step; a cost is null where any of it is unpriced or currencies differ."""

    name: str
    label: str
    requests: list[int]
    failed: list[int]
    tokens: list[int]
    cost_nanos: list[int | None]
    currency: str | None


class WaitView(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds until the first piece and the last, of half and of 95 % of the completed answers; by step."""

    first_us_p50: list[int | None]
    first_us_p95: list[int | None]
    duration_us_p50: list[int | None]
    duration_us_p95: list[int | None]


class SeriesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Usage over time of the eight busiest groups.

    Attributes:
        at_ms: where each step begins, UTC milliseconds.
    """

    by: str
    step_ms: int
    at_ms: list[int]
    data: list[GroupView]
    waits: WaitView


def span_of(visit: Visit, query: SeriesQuery | TrafficQuery, usual_ms: int) -> tuple[tuple[int, int], list[int]]:
    """Give the span that is asked for, and where its steps begin.

    Args:
        usual_ms: how long it is where no beginning is given.

    Raises:
        BadRequest: it would have too many steps.
    """
    to_ms = visit.arrived_ms + 1 if query.to_ms is None else query.to_ms
    from_ms = max(0, to_ms - usual_ms) if query.from_ms is None else query.from_ms
    if to_ms - from_ms > STEPS_MOST * query.step_ms:
        raise BadRequest(f"that would be more than {STEPS_MOST} steps; make step_ms longer", param="step_ms")
    return (from_ms, to_ms), list(range(from_ms - from_ms % query.step_ms, to_ms, query.step_ms))


async def get_traffic(visit: Visit) -> Answer:
    """``GET /api/v1/deployments/{deployment}/traffic``: what its revisions answered, over time."""
    query = asked(visit, TrafficQuery)
    span, moments = span_of(visit, query, _HOUR_MS)

    def read(tx: Tx) -> Series:
        row = real_deployment(tx, visit.params["deployment"])
        project = visible_project(visit.caller)
        return read_traffic(tx, row.name, span=span, step_ms=query.step_ms, project_id=project)

    return json_answer(show_series(await visit.house.store.read(read), "revision", query.step_ms, moments))


async def get_series(visit: Visit) -> Answer:
    """``GET /api/v1/usage/series``."""
    query = asked(visit, SeriesQuery)
    span, moments = span_of(visit, query, _WEEK_MS)

    def read(tx: Tx) -> Series:
        project = choose_project(tx, visit.caller, query.project).id if query.project else visible_project(visit.caller)
        return read_series(tx, query.by, span=span, step_ms=query.step_ms, project_id=project)

    return json_answer(show_series(await visit.house.store.read(read), query.by, query.step_ms, moments))


def show_series(series: Series, by: str, step_ms: int, moments: list[int]) -> SeriesAnswer:
    """Write a series for the API: every step has a value."""
    groups = [_group(series, name, label, moments) for name, label in series.labels.items()]
    waits = [series.waits.get(moment, _NO_WAIT) for moment in moments]
    columns = {name: [getattr(wait, name) for wait in waits] for name in WaitView.__struct_fields__}
    return SeriesAnswer(by=by, step_ms=step_ms, at_ms=moments, data=groups, waits=WaitView(**columns))


def _group(series: Series, name: str, label: str, moments: list[int]) -> GroupView:
    steps = [series.steps[name].get(moment, _NOTHING) for moment in moments]
    currencies = set[str]().union(*(step.currencies for step in steps))
    return GroupView(
        name=name,
        label=label,
        requests=[step.requests for step in steps],
        failed=[step.failed for step in steps],
        tokens=[step.tokens for step in steps],
        cost_nanos=[step.cost_nanos if len(currencies) < 2 else None for step in steps],
        currency=next(iter(currencies)) if len(currencies) == 1 else None,
    )


DOORS = (
    Door("GET", "/api/v1/deployments/{deployment}/traffic", get_traffic, "Show a deployment's traffic over time",
         "usage:read", face="admin", takes=TrafficQuery, gives=SeriesAnswer),
    Door("GET", "/api/v1/usage/series", get_series, "Sum up what was used, step by step", "usage:read", face="admin",
         takes=SeriesQuery, gives=SeriesAnswer),
)  # fmt: skip
