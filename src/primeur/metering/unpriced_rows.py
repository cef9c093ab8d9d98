"""What was used and has no price: its cost is unknown, not zero."""

from dataclasses import dataclass

from sqlalchemy import func, select

from primeur.store.database import Tx
from primeur.store.schema import requests


@dataclass(frozen=True, slots=True)
class UsedSum:
    """What one deployment served by one provider.

    Attributes:
        unsold: requests of these whose price of selling is unknown.
    """

    deployment: str
    provider: str
    requests: int
    tokens: int
    unsold: int
    unsold_tokens: int
    last_ms: int


def sum_served(tx: Tx, *, from_ms: int, to_ms: int) -> list[UsedSum]:
    """Sum what was made from *from_ms* (included) to *to_ms* (not), by deployment and provider."""
    c = requests.c
    tokens = c.input_tokens + c.output_tokens
    unsold = c.cost_nanos.is_(None)
    query = (
        select(
            c.deployment, c.provider, func.count(), func.sum(tokens), func.count().filter(unsold),
            func.sum(tokens).filter(unsold), func.max(c.at_ms),
        )
        .where(c.at_ms >= from_ms, c.at_ms < to_ms, tokens > 0)
        .group_by(c.deployment, c.provider)
        .order_by(c.deployment, c.provider)
    )  # fmt: skip
    return [
        UsedSum(str(name), str(provider), int(count), int(made), int(without), int(unknown or 0), int(last_ms))
        for name, provider, count, made, without, unknown, last_ms in tx.execute(query)
    ]
