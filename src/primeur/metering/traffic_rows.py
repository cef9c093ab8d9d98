"""One deployment's traffic over time, by revision."""

from sqlalchemy import ColumnElement, case, func, select

from primeur.metering.series_rows import Series, Step, add_to_step, step_of, waits_of
from primeur.store.database import Tx
from primeur.store.schema import requests, revisions

_REVISIONS_MOST = 8


def read_traffic(
    tx: Tx, deployment: str, *, span: tuple[int, int], step_ms: int, project_id: str | None = None
) -> Series:
    """Sum what the newest revisions that answered did in each step; tokens are those that they made.

    Args:
        span: UTC milliseconds, the second not included.
    """
    c = requests.c
    within: list[ColumnElement[bool]] = [c.at_ms >= span[0], c.at_ms < span[1], c.deployment == deployment]
    if project_id is not None:
        within.append(c.project_id == project_id)
    step = step_of(c.at_ms, step_ms)
    sums = [
        func.count(),
        func.sum(case((c.outcome.in_(["failed", "refused"]), 1), else_=0)),
        func.sum(c.output_tokens),
        func.sum(case((c.cost_nanos.is_(None) & (c.input_tokens + c.output_tokens > 0), 1), else_=0)),
        func.coalesce(func.sum(c.cost_nanos), 0),
    ]
    source = requests.join(revisions, revisions.c.id == c.revision_id)
    query = select(revisions.c.number, step, c.currency, *sums).select_from(source).where(*within)
    steps: dict[str, dict[int, Step]] = {}
    for number, at_ms, currency, *counted in tx.execute(query.group_by(revisions.c.number, step, c.currency)):
        add_to_step(
            steps.setdefault(str(number), {}).setdefault(int(at_ms), Step()), currency or "", list(map(int, counted))
        )
    labels = {name: name for name in sorted(steps, key=int, reverse=True)[:_REVISIONS_MOST]}
    return Series(labels, {name: steps[name] for name in labels}, waits_of(tx, within, step_ms))
