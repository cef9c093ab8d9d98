"""What FOCUS is told, read page by page from the sums by day."""

from sqlalchemy import func, select, tuple_

from primeur.billing.rules.focus import CostSum, Payer
from primeur.store.database import Tx
from primeur.store.schema import organisations, projects, usage_days

_BY = ("from_ms", "project_id", "key_id", "deployment", "provider", "currency")
Place = tuple[int, str, str, str, str, str]
FIRST: Place = (-1, "", "", "", "", "")


def read_costs(tx: Tx, from_ms: int, to_ms: int, after: Place, most: int) -> list[CostSum]:
    """Give what was used and has a price, by day, project, key, deployment, provider and currency.

    Args:
        from_ms, to_ms: days, UTC milliseconds; the second is not included.
        after: begin behind this place.
    """
    c = usage_days.c
    by = [c[name] for name in _BY]
    tokens = func.sum(c.input_tokens + c.output_tokens - c.unpriced_tokens)
    sums = (func.sum(c.requests - c.refused - c.unpriced), tokens, func.sum(c.cost_nanos))
    query = select(*by, *sums).where(c.from_ms >= from_ms, c.from_ms < to_ms, c.currency != "")
    query = query.where(tuple_(*by) > tuple_(*after)).group_by(*by).order_by(*by).limit(most)
    return [CostSum(*row[:6], *map(int, row[6:])) for row in tx.execute(query)]


def place_of(found: CostSum) -> Place:
    """Give where a sum stands."""
    return found.day_ms, found.project_id, found.key_id, found.deployment, found.provider, found.currency


def read_payers(tx: Tx) -> dict[str, Payer]:
    """Give who each project is, by its id."""
    o, p = organisations.c, projects.c
    query = select(p.id, o.id, o.name, p.name).join(organisations, o.id == p.organisation_id)
    return {str(row[0]): Payer(*row[1:]) for row in tx.execute(query)}
