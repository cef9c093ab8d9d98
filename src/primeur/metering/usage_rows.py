"""Who used what: sums over the request log, by hour and by day."""

from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, Subquery, cast, func, literal, select
from sqlalchemy.types import BigInteger, String

from primeur.store.database import Tx
from primeur.store.schema import keys, members, models, projects, revisions, versions
from primeur.store.schema.metering import SUMS
from primeur.store.usage_sums import DAY_MS, used

__all__ = ["DAY_MS", "By", "UsageLine", "grouping", "sum_usage"]

_ADDED = (
    "requests", "failed", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images", "duration_us",
    "unpriced",
)  # fmt: skip
By = Literal["key", "deployment", "project", "day", "model"]


@dataclass(slots=True)
class UsageLine:
    """What one group of requests used.

    Attributes:
        name: the group: an id, a name, or the day's first UTC millisecond.
        label: the same for people.
        failed: requests that ended in an error of the target or were refused.
        costs: nano-units by currency.
        duration_us: how long its answers took, together; a GPU-second is a million.
        unpriced: requests that made tokens and have no price; their cost is unknown, not zero.
    """

    name: str
    label: str
    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    images: int = 0
    duration_us: int = 0
    costs: dict[str, int] = field(default_factory=dict)
    unpriced: int = 0


def sum_usage(tx: Tx, by: By, *, from_ms: int, to_ms: int, project_id: str | None = None) -> list[UsageLine]:
    """Sum what was used from *from_ms* (included) to *to_ms* (not), the busiest group first; days in their order."""
    source = _summed(used(from_ms, to_ms, None if project_id is None else [project_id]), by)
    group, label, joined = grouping(by, source)
    sums = [func.sum(source.c[name]) for name in SUMS]
    query = select(group, label, source.c.currency, *sums).select_from(joined)
    query = query.group_by(group, label, source.c.currency)
    lines: dict[str, UsageLine] = {}
    for name, shown, currency, *values in tx.execute(query):
        line = lines.setdefault(str(name), UsageLine(str(name), str(shown)))
        _add(line, currency, dict(zip(SUMS, map(int, values), strict=True)))
    if by == "day":
        return sorted(lines.values(), key=lambda line: int(line.name))
    return sorted(lines.values(), key=lambda line: (-line.requests, line.name))


def _summed(source: Subquery, by: By) -> Subquery:
    """Sum up by ids first: names are looked up for each group, not for each of its days."""
    c = source.c
    ids: dict[By, tuple[ColumnElement[Any], ...]] = {
        "key": (c.key_id,),
        "deployment": (c.deployment,),
        "project": (c.project_id,),
        "day": ((c.from_ms - c.from_ms % literal(DAY_MS, BigInteger)).label("from_ms"),),
        "model": (c.revision_id, c.deployment),
    }
    sums = (func.sum(c[name]).label(name) for name in SUMS)
    return select(*ids[by], c.currency, *sums).group_by(*ids[by], c.currency).subquery("summed")


def grouping(by: By, source: Subquery) -> tuple[ColumnElement[Any], ColumnElement[Any], FromClause]:
    """Give what to group by, its label for people, and the tables that know it; *source* is one of `sum_rows`."""
    c = source.c
    if by == "key":
        # Whoever is signed in to the console calls in the name of the member.
        named = source.outerjoin(keys, keys.c.id == c.key_id).outerjoin(members, members.c.id == c.key_id)
        return c.key_id, func.coalesce(keys.c.name, members.c.name, c.key_id), named
    if by == "project":
        named = source.outerjoin(projects, projects.c.id == c.project_id)
        return c.project_id, func.coalesce(projects.c.name, c.project_id), named
    if by == "day":
        day = c.from_ms - c.from_ms % literal(DAY_MS, BigInteger)
        return day, cast(day, String), source
    if by == "model":
        joined = (
            source.outerjoin(revisions, revisions.c.id == c.revision_id)
            .outerjoin(versions, versions.c.id == revisions.c.version_id)
            .outerjoin(models, models.c.id == versions.c.model_id)
        )
        # A removed deployment takes its revisions along; its requests are then known by its name.
        model = func.coalesce(models.c.name, revisions.c.upstream_model, c.deployment)
        return model, model, joined
    return c.deployment, c.deployment, source


def _add(line: UsageLine, currency: str, sums: dict[str, int]) -> None:
    for name in _ADDED:
        setattr(line, name, getattr(line, name) + sums[name])
    line.failed += sums["refused"]
    if currency:
        line.costs[currency] = line.costs.get(currency, 0) + sums["cost_nanos"]
