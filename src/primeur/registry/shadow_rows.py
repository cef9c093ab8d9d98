"""Answers to copied requests, as the database keeps them: seen by the judge, billed to nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Integer, func, select

from primeur.store.database import Tx
from primeur.store.schema import shadow_answers
from primeur.store.upsert import insert_or


@dataclass(frozen=True, slots=True)
class Shadowed:
    """One copied request, answered by a revision on trial.

    Attributes:
        at_ms: when the request that was copied arrived, UTC milliseconds.
        cost_nanos: what it would have cost; None is unknown.
    """

    request_id: str
    revision_id: str
    at_ms: int
    duration_us: int
    failed: bool
    first_token_us: int | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class ShadowTotals:
    """What a revision was sent as copies, in all."""

    answers: int
    failed: int
    input_tokens: int
    output_tokens: int


def keep_shadows(tx: Tx, seen: Iterable[Shadowed]) -> None:
    """Keep answers; the same request copied twice to one revision counts once."""
    rows = [{name: getattr(one, name) for name in Shadowed.__slots__} for one in seen]
    if rows:
        tx.execute(insert_or(tx.dialect.name, shadow_answers).on_conflict_do_nothing(), rows)


def list_shadows(tx: Tx, revision_ids: list[str], from_ms: int, until_ms: int, most: int) -> list[Shadowed]:
    """Give what ended in ``[from_ms, until_ms)``, oldest first."""
    c = shadow_answers.c
    ended = c.at_ms + c.duration_us / 1000
    query = select(shadow_answers).where(c.revision_id.in_(revision_ids), ended >= from_ms, ended < until_ms)
    rows = tx.execute(query.order_by(c.at_ms).limit(most))
    return [Shadowed(**{name: getattr(row, name) for name in Shadowed.__slots__}) for row in rows]


def shadow_totals(tx: Tx, revision_id: str) -> ShadowTotals:
    """Give what a revision was sent as copies."""
    c = shadow_answers.c
    sums = [func.count(), func.sum(c.failed.cast(Integer)), func.sum(c.input_tokens), func.sum(c.output_tokens)]
    found = tx.execute(select(*sums).where(c.revision_id == revision_id)).one()
    return ShadowTotals(*(int(one or 0) for one in found))
