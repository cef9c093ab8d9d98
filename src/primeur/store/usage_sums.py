"""What was used in a span of time, from the sums by hour and by day where they cover it whole."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Table, case, func, literal, select, union_all
from sqlalchemy.types import BigInteger

from primeur.store.schema import requests, usage_days, usage_hours
from primeur.store.schema.metering import SUMMED_BY, SUMS

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FOREVER_MS = 1_000_000 * DAY_MS
"""The end of a span that has not ended."""


def used(from_ms: int, to_ms: int, project_ids: Collection[str] | None = None) -> Subquery:
    """Give what was used from *from_ms* (included) to *to_ms* (not), as a table of `SUMMED_BY` and `SUMS`.

    Whole days and hours come from their sums, and only what is left at both ends from the requests themselves.

    Args:
        project_ids: only these projects; None is all.
    """
    return union_all(*_pieces(from_ms, to_ms, project_ids)).subquery("used")


def used_step_by_step(span: tuple[int, int], step_ms: int, project_ids: Collection[str] | None) -> Subquery:
    """As `used`, but no row covers more than one step; a step is a day, hours, or less than an hour.

    Args:
        span: UTC milliseconds, the second not included.
    """
    if step_ms % DAY_MS == 0:
        return used(*span, project_ids)
    if step_ms % HOUR_MS:
        return _raw(*span, project_ids).subquery("used")
    hours = _whole(*span, HOUR_MS)
    if hours[0] >= hours[1]:
        return _raw(*span, project_ids).subquery("used")
    ends = ((span[0], hours[0]), (hours[1], span[1]))
    edges = [_raw(*end, project_ids) for end in ends if end[0] < end[1]]
    return union_all(_summed(usage_hours, *hours, project_ids), *edges).subquery("used")


def _pieces(from_ms: int, to_ms: int, project_ids: Collection[str] | None) -> list[Select[Any]]:
    hours = _whole(from_ms, to_ms, HOUR_MS)
    if hours[0] >= hours[1]:
        return [_raw(from_ms, to_ms, project_ids)]
    days = _whole(*hours, DAY_MS)
    if days[0] >= days[1]:
        days = (hours[1], hours[1])
    ends = ((from_ms, hours[0]), (hours[1], to_ms))
    parts = ((usage_hours, hours[0], days[0]), (usage_days, *days), (usage_hours, days[1], hours[1]))
    edges = [_raw(*end, project_ids) for end in ends if end[0] < end[1]]
    return edges + [_summed(table, begin, end, project_ids) for table, begin, end in parts if begin < end]


def _whole(from_ms: int, to_ms: int, length_ms: int) -> tuple[int, int]:
    """Give the part of a span that is whole hours or days."""
    return -(-from_ms // length_ms) * length_ms, to_ms // length_ms * length_ms


def _summed(table: Table, from_ms: int, to_ms: int, project_ids: Collection[str] | None) -> Select[Any]:
    c = table.c
    names = [c[name] for name in (*SUMMED_BY, *SUMS)]
    return _of(select(*names).where(c.from_ms >= from_ms, c.from_ms < to_ms), c.project_id, project_ids)


def _raw(from_ms: int, to_ms: int, project_ids: Collection[str] | None) -> Select[Any]:
    c = requests.c
    tokens = c.input_tokens + c.output_tokens
    unpriced = c.cost_nanos.is_(None) & (tokens > 0)
    values: dict[str, ColumnElement[Any]] = {
        "from_ms": c.at_ms,
        **{name: c[name] for name in (*SUMMED_BY[1:-1], *SUMS) if name in c},
        "currency": func.coalesce(c.currency, ""),
        "requests": literal(1, BigInteger),
        "failed": case((c.outcome == "failed", 1), else_=0),
        "refused": case((c.outcome == "refused", 1), else_=0),
        "cached_tokens": case((c.cached_tokens > c.input_tokens, c.input_tokens), else_=c.cached_tokens),
        "cost_nanos": func.coalesce(c.cost_nanos, 0),
        "unpriced": case((unpriced, 1), else_=0),
        "unpriced_tokens": case((unpriced, tokens), else_=0),
    }
    query = select(*(values[name].label(name) for name in (*SUMMED_BY, *SUMS)))
    return _of(query.where(c.at_ms >= from_ms, c.at_ms < to_ms), c.project_id, project_ids)


def _of(query: Select[Any], project: ColumnElement[str], project_ids: Collection[str] | None) -> Select[Any]:
    return query if project_ids is None else query.where(project.in_(sorted(project_ids)))
