"""What each revision of a deployment did: requests, errors, waiting times, tokens, cost."""

from typing import Annotated

import msgspec

from primeur.core.errors import BadRequest
from primeur.gateway.admin.page import asked
from primeur.gateway.admin.usage import Moment
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.rules import visible_project
from primeur.metering.revision_rows import RevisionMetrics, read_metrics
from primeur.metering.usage_rows import DAY_MS
from primeur.store.database import Tx
from primeur.walks.check_deployments import real_deployment

_SPAN_MOST_MS = 31 * DAY_MS


class MetricsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which span; the last *hours* where no moments are given; at most 31 days."""

    from_ms: Moment | None = None
    to_ms: Moment | None = None
    hours: Annotated[int, msgspec.Meta(ge=1, le=744)] = 24


class RevisionMetricsView(msgspec.Struct, frozen=True, kw_only=True):
    """What one revision did.

    Attributes:
        failed: requests that ended in an error of the target or were refused.
        costs: nano-units by currency; *unpriced* requests have an unknown cost.
        sampled: of how many completed answers, the newest, what follows is told; at most 2,000.
        first_us_p50, first_us_p95: microseconds to the first token that half and 95 % of the answers stay within.
        between_us_p50, between_us_p95: microseconds from token to token of streams, the same.
        tokens_per_s_p50, tokens_per_s_p95: output tokens in a second that half and 95 % of the streams reach.
    """

    revision: int
    revision_id: str
    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    costs: dict[str, int]
    unpriced: int
    sampled: int
    first_us_p50: int | None
    first_us_p95: int | None
    between_us_p50: int | None
    between_us_p95: int | None
    tokens_per_s_p50: float | None
    tokens_per_s_p95: float | None


class MetricsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The revisions that were asked in a span of UTC milliseconds, the newest first; at most 20."""

    from_ms: int
    to_ms: int
    data: list[RevisionMetricsView]


async def get_metrics(visit: Visit) -> Answer:
    """``GET /api/v1/deployments/{deployment}/metrics``: of each revision, over a span."""
    span = _span(visit, asked(visit, MetricsQuery))

    def read(tx: Tx) -> list[RevisionMetrics]:
        row = real_deployment(tx, visit.params["deployment"])
        return read_metrics(tx, row.name, span=span, project_id=visible_project(visit.caller))

    data = [_show(one) for one in await visit.house.store.read(read)]
    return json_answer(MetricsAnswer(from_ms=span[0], to_ms=span[1], data=data))


def _span(visit: Visit, query: MetricsQuery) -> tuple[int, int]:
    to_ms = visit.arrived_ms + 1 if query.to_ms is None else query.to_ms
    from_ms = max(0, to_ms - query.hours * 3_600_000) if query.from_ms is None else query.from_ms
    if to_ms - from_ms > _SPAN_MOST_MS:
        raise BadRequest("that is more than 31 days; ask for less at once", param="from_ms")
    return from_ms, to_ms


def _show(one: RevisionMetrics) -> RevisionMetricsView:
    first, between = one.first_us or (None, None), one.between_us or (None, None)
    same = ("revision_id", "requests", "failed", "input_tokens", "output_tokens", "costs", "unpriced", "sampled")
    return RevisionMetricsView(
        **{name: getattr(one, name) for name in same},
        revision=one.number,
        first_us_p50=first[0],
        first_us_p95=first[1],
        between_us_p50=between[0],
        between_us_p95=between[1],
        tokens_per_s_p50=_rate(between[0]),
        tokens_per_s_p95=_rate(between[1]),
    )


def _rate(between_us: int | None) -> float | None:
    return round(1e6 / between_us, 1) if between_us else None


DOORS = (
    Door("GET", "/api/v1/deployments/{deployment}/metrics", get_metrics, "Show what each revision did", "usage:read",
         face="admin", takes=MetricsQuery, gives=MetricsAnswer),
)  # fmt: skip
