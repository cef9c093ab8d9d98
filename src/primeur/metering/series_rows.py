"""Usage over time: for each step, what the busiest groups used and how long callers waited."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Subquery, case, func, literal, select
from sqlalchemy.types import BigInteger

from primeur.metering.usage_rows import By, grouping, sum_usage
from primeur.store.database import Tx
from primeur.store.schema import requests
from primeur.store.usage_sums import used_step_by_step

GROUPS_MOST = 8


@dataclass(slots=True)
class Step:
    """What one group used within one step; *cost_nanos* is None when any of it is unpriced or currencies differ."""

    requests: int = 0
    failed: int = 0
    tokens: int = 0
    cost_nanos: int | None = 0
    currencies: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Wait:
    """Microseconds until the first piece, and until the last, of half and of 95 % of a step's answers."""

    first_us_p50: int | None
    first_us_p95: int | None
    duration_us_p50: int | None
    duration_us_p95: int | None


@dataclass(frozen=True, slots=True)
class Series:
    """Usage over time.

    Attributes:
        labels: of the busiest groups by name, busiest first; at most eight.
        steps: by group's name and step's beginning; steps without requests are left out.
        waits: by step's beginning, over all groups.
    """

    labels: dict[str, str]
    steps: dict[str, dict[int, Step]]
    waits: dict[int, Wait]


def read_series(tx: Tx, by: By, *, span: tuple[int, int], step_ms: int, project_id: str | None = None) -> Series:
    """Sum usage by step.

    Args:
        span: UTC milliseconds, the second not included.
        step_ms: length of a step; steps begin at multiples of it since 1970.
    """
    busiest = sum_usage(tx, by, from_ms=span[0], to_ms=span[1], project_id=project_id)[:GROUPS_MOST]
    labels = {line.name: line.label for line in busiest}
    source = used_step_by_step(span, step_ms, None if project_id is None else [project_id])
    return Series(labels, _steps(tx, by, labels, source, step_ms), waits_of(tx, _within(span, project_id), step_ms))


def _within(span: tuple[int, int], project_id: str | None) -> list[ColumnElement[bool]]:
    c = requests.c
    asked = [c.at_ms >= span[0], c.at_ms < span[1]]
    return asked if project_id is None else [*asked, c.project_id == project_id]


def step_of(at_ms: ColumnElement[int], step_ms: int) -> ColumnElement[int]:
    """Give where the step of a moment begins."""
    return at_ms - at_ms % literal(step_ms, BigInteger)


def _steps(tx: Tx, by: By, labels: dict[str, str], source: Subquery, step_ms: int) -> dict[str, dict[int, Step]]:
    c = source.c
    step = step_of(c.from_ms, step_ms)
    group, _, joined = grouping(by, source)
    sums = [
        func.sum(column)
        for column in (
            c.requests, c.failed + c.refused, c.input_tokens + c.output_tokens, c.unpriced, c.cost_nanos
        )
    ]  # fmt: skip
    query = select(group, step, c.currency, *sums).select_from(joined).where(group.in_(labels))
    steps: dict[str, dict[int, Step]] = {name: {} for name in labels}
    for name, at_ms, currency, *counted in tx.execute(query.group_by(group, step, c.currency)):
        add_to_step(steps[str(name)].setdefault(int(at_ms), Step()), currency, [int(one) for one in counted])
    return steps


def add_to_step(step: Step, currency: str, counted: list[int]) -> None:
    """Add requests, failures, tokens, requests without a price, and nanos."""
    count, failed, tokens, unpriced, cost = counted
    step.requests += count
    step.failed += failed
    step.tokens += tokens
    if currency:
        step.currencies.add(currency)
    if unpriced or len(step.currencies) > 1:
        step.cost_nanos = None
    if step.cost_nanos is not None:
        step.cost_nanos += cost


def waits_of(tx: Tx, within: list[ColumnElement[bool]], step_ms: int) -> dict[int, Wait]:
    """Give how long callers waited for the requests *within*, by step."""
    first, whole = (
        _percentiles(tx, column, within, step_ms) for column in (requests.c.first_token_us, requests.c.duration_us)
    )
    return {at_ms: Wait(*first.get(at_ms, (None, None)), *whole.get(at_ms, (None, None))) for at_ms in first | whole}


def _percentiles(
    tx: Tx, column: ColumnElement[int], within: list[ColumnElement[bool]], step_ms: int
) -> dict[int, tuple[int, int]]:
    """Give the values that half and 95 % of the answers stay within, by step; only answers that were completed."""
    step = step_of(requests.c.at_ms, step_ms).label("step")
    rank = func.cume_dist().over(partition_by=step, order_by=column).label("rank")
    ranked = select(step, column.label("value"), rank).where(
        *within, column.is_not(None), requests.c.outcome == "completed"
    )
    inner = ranked.subquery().c
    halves = [func.min(case((inner.rank >= part, inner.value))) for part in (0.5, 0.95)]
    found = tx.execute(select(inner.step, *halves).group_by(inner.step))
    return {int(at_ms): (int(half), int(most)) for at_ms, half, most in found}
