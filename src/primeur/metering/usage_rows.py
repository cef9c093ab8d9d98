"""Who used what: sums over the request log."""

from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, case, cast, func, literal, select
from sqlalchemy.types import BigInteger, String

from primeur.store.database import Tx
from primeur.store.schema import keys, members, models, projects, requests, revisions, versions

DAY_MS = 86_400_000
By = Literal["key", "deployment", "project", "day", "model"]


@dataclass(slots=True)
class UsageLine:
    """What one group of requests used.

    Attributes:
        name: the group: an id, a name, or the day's first UTC millisecond.
        label: the same for people.
        failed: requests that ended in an error of the target or were refused.
        costs: nano-units by currency.
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
    costs: dict[str, int] = field(default_factory=dict)
    unpriced: int = 0


def sum_usage(tx: Tx, by: By, *, from_ms: int, to_ms: int, project_id: str | None = None) -> list[UsageLine]:
    """Sum what was used from *from_ms* (included) to *to_ms* (not), the busiest group first; days in their order."""
    group, label, source = grouping(by)
    c = requests.c
    made = c.input_tokens + c.output_tokens > 0
    sums = [
        func.count(),
        func.sum(case((c.outcome.in_(["failed", "refused"]), 1), else_=0)),
        *(func.sum(column) for column in (c.input_tokens, c.cached_tokens, c.output_tokens, c.reasoning_tokens)),
        func.sum(case((c.cost_nanos.is_(None) & made, 1), else_=0)),
        func.sum(c.cost_nanos),
    ]
    query = select(group, label, c.currency, *sums).select_from(source).group_by(group, label, c.currency)
    query = query.where(c.at_ms >= from_ms, c.at_ms < to_ms)
    if project_id is not None:
        query = query.where(c.project_id == project_id)
    lines: dict[str, UsageLine] = {}
    for row in tx.execute(query):
        _add(lines, tuple(row))
    if by == "day":
        return sorted(lines.values(), key=lambda line: int(line.name))
    return sorted(lines.values(), key=lambda line: (-line.requests, line.name))


def grouping(by: By) -> tuple[ColumnElement[Any], ColumnElement[Any], FromClause]:
    """Give what to group by, its label for people, and the tables that know it."""
    c = requests.c
    if by == "key":
        # Whoever is signed in to the console calls in the name of the member.
        named = requests.outerjoin(keys, keys.c.id == c.key_id).outerjoin(members, members.c.id == c.key_id)
        return c.key_id, func.coalesce(keys.c.name, members.c.name, c.key_id), named
    if by == "project":
        named = requests.outerjoin(projects, projects.c.id == c.project_id)
        return c.project_id, func.coalesce(projects.c.name, c.project_id), named
    if by == "day":
        day = c.at_ms - c.at_ms % literal(DAY_MS, BigInteger)
        return day, cast(day, String), requests
    if by == "model":
        joined = (
            requests.outerjoin(revisions, revisions.c.id == c.revision_id)
            .outerjoin(versions, versions.c.id == revisions.c.version_id)
            .outerjoin(models, models.c.id == versions.c.model_id)
        )
        # A removed deployment takes its revisions along; its requests are then known by its name.
        model = func.coalesce(models.c.name, revisions.c.upstream_model, c.deployment)
        return model, model, joined
    return c.deployment, c.deployment, requests


def _add(lines: dict[str, UsageLine], row: tuple[Any, ...]) -> None:
    name, label, currency, count, failed, fresh, cached, out, reasoning, unpriced, cost = row
    line = lines.setdefault(str(name), UsageLine(str(name), str(label)))
    line.requests += int(count)
    line.failed += int(failed)
    line.input_tokens += int(fresh)
    line.cached_tokens += int(cached)
    line.output_tokens += int(out)
    line.reasoning_tokens += int(reasoning)
    line.unpriced += int(unpriced)
    if cost is not None:
        line.costs[currency] = line.costs.get(currency, 0) + int(cost)
