"""Who served what of each deployment, and for which reason it was not the holder of a right."""

from typing import NamedTuple

from sqlalchemy import func, select

from primeur.metering.series_rows import GROUPS_MOST, step_of
from primeur.store.database import Tx
from primeur.store.schema import requests


class Server(NamedTuple):
    """Who served requests of a deployment and why.

    Attributes:
        provider: empty: nobody, the caller was told to come back.
        refusal: None: it holds the right, or no right concerns the deployment.
    """

    deployment: str
    provider: str
    refusal: str | None


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


def read_serving(tx: Tx, *, span: tuple[int, int], step_ms: int, deployment: str = "") -> dict[Server, dict[int, int]]:
    """Give the requests by who served them and by step; the eight busiest, busiest first.

    Requests that no holder refused and nobody served failed for reasons of their own, and are left out.

    Args:
        span: UTC milliseconds, the second not included.
        step_ms: length of a step; steps begin at multiples of it since 1970.
        deployment: only this one; empty is all.
    """
    c = requests.c
    step = step_of(c.at_ms, step_ms)
    query = select(c.deployment, c.provider, c.refusal, step, func.count()).where(
        c.at_ms >= span[0], c.at_ms < span[1], (c.provider != "") | c.refusal.is_not(None)
    )
    if deployment:
        query = query.where(c.deployment == deployment)
    found: dict[Server, dict[int, int]] = {}
    for name, provider, refusal, at_ms, count in tx.execute(query.group_by(c.deployment, c.provider, c.refusal, step)):
        found.setdefault(Server(name, provider, refusal), {})[int(at_ms)] = int(count)
    busiest = sorted(found, key=lambda one: (-sum(found[one].values()), one.deployment, one.provider, str(one.refusal)))
    return {one: found[one] for one in busiest[:GROUPS_MOST]}
