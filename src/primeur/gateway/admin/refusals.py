"""Refusals: every request that the holder of a right did not serve, with the one reason; and who serves what share."""

from typing import Annotated

import msgspec

from primeur.broker.placement import Reason
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.admin.series import TrafficQuery, span_of
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.rules import visible_project
from primeur.metering.log_rows import Search, search_requests
from primeur.metering.refusal_rows import read_serving, sum_serving

Moment = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
_HOUR_MS = 3_600_000


class RefusalQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for; see `primeur.metering.log_rows.Search`."""

    text: Annotated[str, msgspec.Meta(max_length=200)] = ""
    reason: Reason | None = None
    right: str = ""
    deployment: str = ""
    from_ms: Moment | None = None
    to_ms: Moment | None = None
    before: str = ""
    limit: int = 50


class RefusalView(msgspec.Struct, frozen=True, kw_only=True):
    """A request that the holder did not serve.

    Attributes:
        provider: who did; empty: nobody, the caller was told to come back.
        evidence: what was measured.
    """

    request_id: str
    at_ms: int
    right_id: str
    deployment: str
    refusal: str
    evidence: str | None
    provider: str
    outcome: str
    status: int


class ServingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Since when; the last hour by default."""

    from_ms: Moment | None = None


class ShareView(msgspec.Struct, frozen=True, kw_only=True):
    """What one provider served of one deployment, for one reason (null: it holds the right, or none concerns it)."""

    deployment: str
    provider: str
    refusal: str | None
    requests: int
    tokens: int


class ServedQuery(TrafficQuery, frozen=True, forbid_unknown_fields=True):
    """Which span, and which deployment; the last hour of all, a minute a step, when not given."""

    deployment: Annotated[str, msgspec.Meta(max_length=200)] = ""


class ServedView(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one deployment by step, served by one provider for one reason.

    Attributes:
        provider: empty: nobody, the caller was told to come back.
        refusal: null: it holds the right, or no right concerns the deployment.
    """

    deployment: str
    provider: str
    refusal: str | None
    requests: list[int]


class ServedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who served what over time: the eight that served most, busiest first.

    Attributes:
        at_ms: where each step begins, UTC milliseconds.
    """

    step_ms: int
    at_ms: list[int]
    data: list[ServedView]


async def list_refusals(visit: Visit) -> Answer:
    """``GET /api/v1/refusals``: newest first."""
    query = asked(visit, RefusalQuery)
    search = Search(
        project_id=visible_project(visit.caller),
        text=query.text or None,
        deployment=query.deployment or None,
        refused=True,
        refusal=query.reason,
        right_id=query.right or None,
        from_ms=query.from_ms,
        to_ms=query.to_ms,
        before=query.before or None,
        limit=query.limit,
    )
    found, cursor = await visit.house.store.read(lambda tx: search_requests(tx, search))
    return json_answer(Page([
        RefusalView(
            request_id=one.id, at_ms=one.at_ms, right_id=one.right_id or "", deployment=one.deployment,
            refusal=one.refusal or "", evidence=one.evidence, provider=one.provider, outcome=one.outcome,
            status=one.status,
        )
        for one in found
    ], cursor))  # fmt: skip


async def get_serving(visit: Visit) -> Answer:
    """``GET /api/v1/capacity/serving``: who served what, and why."""
    query = asked(visit, ServingQuery)
    from_ms = max(0, visit.arrived_ms - _HOUR_MS) if query.from_ms is None else query.from_ms
    found = await visit.house.store.read(lambda tx: sum_serving(tx, from_ms))
    return json_answer(Page([
        ShareView(deployment=deployment, provider=provider, refusal=refusal, requests=requests, tokens=tokens)
        for deployment, provider, refusal, requests, tokens in found
    ]))  # fmt: skip


async def get_served(visit: Visit) -> Answer:
    """``GET /api/v1/capacity/serving/series``: who served what, and why, step by step."""
    query = asked(visit, ServedQuery)
    span, moments = span_of(visit, query, _HOUR_MS)
    found = await visit.house.store.read(
        lambda tx: read_serving(tx, span=span, step_ms=query.step_ms, deployment=query.deployment)
    )
    lines = [
        ServedView(**one._asdict(), requests=[steps.get(moment, 0) for moment in moments])
        for one, steps in found.items()
    ]
    return json_answer(ServedAnswer(step_ms=query.step_ms, at_ms=moments, data=lines))


DOORS = (
    Door("GET", "/api/v1/refusals", list_refusals, "Search what holders did not serve", "log:read", face="admin",
         takes=RefusalQuery, gives=Page[RefusalView]),
    Door("GET", "/api/v1/capacity/serving", get_serving, "Show who serves what share and why", "capacity:read",
         face="admin", takes=ServingQuery, gives=Page[ShareView]),
    Door("GET", "/api/v1/capacity/serving/series", get_served, "Show who served what share and why, step by step",
         "capacity:read", face="admin", takes=ServedQuery, gives=ServedAnswer),
)  # fmt: skip
