"""What customers used, day by day, from the sums of the request log."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.types import BigInteger

from primeur.billing.rules.charging import UsageSum
from primeur.billing.rules.periods import DAY_MS, Span
from primeur.core.usage import Usage
from primeur.store.database import Tx
from primeur.store.usage_sums import FOREVER_MS, used


def sum_days(tx: Tx, span: Span, project_ids: Collection[str]) -> list[UsageSum]:
    """Sum what projects used in *span* by UTC day, deployment and currency.

    Args:
        span: begins and ends with a day.
    """
    c = used(span.from_ms, span.to_ms, project_ids).c
    day = _day(c.from_ms)
    tokens = func.sum(c.input_tokens + c.output_tokens)
    sums = [
        func.sum(c.requests - c.refused),
        tokens - func.sum(c.unpriced_tokens),
        func.sum(c.cost_nanos),
        func.sum(c.unpriced_tokens),
    ]
    query = (
        select(day, c.deployment, c.currency, *sums)
        .group_by(day, c.deployment, c.currency)
        .having(sums[0] > 0)
        .order_by(day, c.deployment, c.currency)
    )
    return [
        UsageSum(int(day_ms), name, int(count), int(known), int(cost), currency or None, int(unknown))
        for day_ms, name, currency, count, known, cost, unknown in tx.execute(query)
    ]


def _day(from_ms: ColumnElement[int]) -> ColumnElement[int]:
    return from_ms - from_ms % literal(DAY_MS, BigInteger)


def spent_after(tx: Tx, at_ms: int, project_ids: Collection[str], currency: str) -> dict[str, int]:
    """Give what each project's requests cost from a moment on, in nanos of *currency*; zero where they cost nothing."""
    c = used(at_ms, FOREVER_MS, project_ids).c
    query = select(c.project_id, func.sum(c.cost_nanos)).where(c.currency == currency).group_by(c.project_id)
    found = {str(project): int(nanos or 0) for project, nanos in tx.execute(query)}
    return {project: found.get(project, 0) for project in sorted(project_ids)}


def sum_costs(tx: Tx, span: Span, project_id: str | None) -> dict[str, dict[int, int]]:
    """Sum what requests cost by currency and UTC day, in nanos; what has no price is not in it.

    Args:
        project_id: only this project; None is all.
    """
    c = used(span.from_ms, span.to_ms, None if project_id is None else [project_id]).c
    day = _day(c.from_ms)
    query = select(c.currency, day, func.sum(c.cost_nanos)).where(c.currency != "").group_by(c.currency, day)
    found: dict[str, dict[int, int]] = {}
    for currency, day_ms, nanos in tx.execute(query):
        found.setdefault(str(currency), {})[int(day_ms)] = int(nanos)
    return found


def sum_tokens(tx: Tx, span: Span, project_ids: Collection[str]) -> dict[tuple[int, str], tuple[int, Usage]]:
    """Sum tokens of projects by UTC day and deployment, with how many requests used them."""
    c = used(span.from_ms, span.to_ms, project_ids).c
    day = _day(c.from_ms)
    count = func.sum(c.requests - c.refused)
    sums = (count, func.sum(c.input_tokens), func.sum(c.cached_tokens), func.sum(c.output_tokens))
    query = select(day, c.deployment, *sums).group_by(day, c.deployment).having(count > 0)
    return {
        (int(day_ms), str(name)): (int(count), Usage(int(fresh), int(known), int(out)))
        for day_ms, name, count, fresh, known, out in tx.execute(query)
    }
