"""How many requests were served, by whom for whom, and how many of them have no price of selling."""

from dataclasses import dataclass

from sqlalchemy import func, literal, select
from sqlalchemy.types import BigInteger

from primeur.billing.rules.periods import DAY_MS, Span
from primeur.store.database import Tx
from primeur.store.schema import models, requests, revisions, versions


@dataclass(frozen=True, slots=True)
class ServedSum:
    """Requests that made tokens, of one UTC day and group; *unsold* of them have no price of selling."""

    day_ms: int
    project_id: str
    deployment: str
    provider: str
    model: str
    requests: int
    unsold: int


def count_served(tx: Tx, span: Span, project_id: str | None = None) -> list[ServedSum]:
    """Count what was served in *span*, of one project or all."""
    c = requests.c
    day = c.at_ms - c.at_ms % literal(DAY_MS, BigInteger)
    model = func.coalesce(models.c.name, revisions.c.upstream_model, c.deployment)
    group = [day, c.project_id, c.deployment, c.provider, model]
    joined = (
        requests.outerjoin(revisions, revisions.c.id == c.revision_id)
        .outerjoin(versions, versions.c.id == revisions.c.version_id)
        .outerjoin(models, models.c.id == versions.c.model_id)
    )
    query = (
        select(*group, func.count(), func.count().filter(c.cost_nanos.is_(None)))
        .select_from(joined)
        .where(c.at_ms >= span.from_ms, c.at_ms < span.to_ms, c.input_tokens + c.output_tokens > 0)
        .group_by(*group)
    )
    if project_id is not None:
        query = query.where(c.project_id == project_id)
    return [ServedSum(int(row[0]), *row[1:5], int(row[5]), int(row[6])) for row in tx.execute(query)]
