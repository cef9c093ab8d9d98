"""Who served what of each deployment, and for which reason it was not the holder of a right."""

from sqlalchemy import func, select

from primeur.store.database import Tx
from primeur.store.schema import requests


def sum_serving(tx: Tx, from_ms: int) -> list[tuple[str, str, str | None, int, int]]:
    """Give deployment, provider, reason, requests and tokens since a moment; the most requests first."""
    c = requests.c
    tokens = func.coalesce(func.sum(c.input_tokens + c.output_tokens), 0)
    query = (
        select(c.deployment, c.provider, c.refusal, func.count(), tokens)
        .where(c.at_ms >= from_ms, c.provider != "")
        .group_by(c.deployment, c.provider, c.refusal)
        .order_by(c.deployment, func.count().desc(), c.provider, c.refusal)
        .limit(500)
    )
    return [(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in tx.execute(query)]
