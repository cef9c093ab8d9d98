"""What customers used, day by day, summed up from the request log."""

from collections.abc import Collection

from sqlalchemy import case, func, literal, select
from sqlalchemy.types import BigInteger

from primeur.billing.rules.charging import UsageSum
from primeur.billing.rules.periods import DAY_MS, Span
from primeur.core.usage import Usage
from primeur.store.database import Tx
from primeur.store.schema import requests


def sum_days(tx: Tx, span: Span, project_ids: Collection[str]) -> list[UsageSum]:
    """Sum what projects used in *span* by UTC day, deployment and currency.

    Args:
        span: begins and ends with a day.
    """
    c = requests.c
    day = c.at_ms - c.at_ms % literal(DAY_MS, BigInteger)
    priced = c.cost_nanos.is_not(None)
    tokens = c.input_tokens + c.output_tokens
    sums = [
        func.count(),
        func.sum(case((priced, tokens), else_=0)),
        func.sum(func.coalesce(c.cost_nanos, 0)),
        func.sum(case((priced, 0), else_=tokens)),
    ]
    query = (
        select(day, c.deployment, c.currency, *sums)
        .where(c.at_ms >= span.from_ms, c.at_ms < span.to_ms, c.project_id.in_(sorted(project_ids)))
        .where(c.outcome != "refused")
        .group_by(day, c.deployment, c.currency)
        .order_by(day, c.deployment, c.currency)
    )
    return [
        UsageSum(int(day_ms), name, int(count), int(known), int(cost), currency, int(unknown))
        for day_ms, name, currency, count, known, cost, unknown in tx.execute(query)
    ]


def spent_after(tx: Tx, at_ms: int, project_ids: Collection[str], currency: str) -> dict[str, int]:
    """Give what each project's requests cost from a moment on, in nanos of *currency*; zero where they cost nothing."""
    c = requests.c
    query = (
        select(c.project_id, func.sum(c.cost_nanos))
        .where(c.at_ms >= at_ms, c.project_id.in_(sorted(project_ids)), c.currency == currency)
        .group_by(c.project_id)
    )
    found = {str(project): int(nanos or 0) for project, nanos in tx.execute(query)}
    return {project: found.get(project, 0) for project in sorted(project_ids)}


def sum_costs(tx: Tx, span: Span, project_id: str | None) -> dict[str, dict[int, int]]:
    """Sum what requests cost by currency and UTC day, in nanos; what has no price is not in it.

    Args:
        project_id: only this project; None is all.
    """
    c = requests.c
    day = c.at_ms - c.at_ms % literal(DAY_MS, BigInteger)
    query = select(c.currency, day, func.sum(c.cost_nanos)).where(c.at_ms >= span.from_ms, c.at_ms < span.to_ms)
    query = query.where(c.cost_nanos.is_not(None), c.currency.is_not(None)).group_by(c.currency, day)
    found: dict[str, dict[int, int]] = {}
    for currency, day_ms, nanos in tx.execute(query if project_id is None else query.where(c.project_id == project_id)):
        found.setdefault(str(currency), {})[int(day_ms)] = int(nanos)
    return found


def sum_tokens(tx: Tx, span: Span, project_ids: Collection[str]) -> dict[tuple[int, str], tuple[int, Usage]]:
    """Sum tokens of projects by UTC day and deployment, with how many requests used them."""
    c = requests.c
    day = c.at_ms - c.at_ms % literal(DAY_MS, BigInteger)
    # What is charged as fresh is more than the input less what was cached only where a target said nonsense.
    cached = case((c.cached_tokens > c.input_tokens, c.input_tokens), else_=c.cached_tokens)
    sums = (func.count(), func.sum(c.input_tokens), func.sum(cached), func.sum(c.output_tokens))
    query = (
        select(day, c.deployment, *sums)
        .where(c.at_ms >= span.from_ms, c.at_ms < span.to_ms, c.project_id.in_(sorted(project_ids)))
        .where(c.outcome != "refused")
        .group_by(day, c.deployment)
    )
    return {
        (int(day_ms), str(name)): (int(count), Usage(int(fresh), int(known), int(out)))
        for day_ms, name, count, fresh, known, out in tx.execute(query)
    }
