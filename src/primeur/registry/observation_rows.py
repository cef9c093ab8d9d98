"""What the judge sees: answered requests by revision, in the order in which they ended, and faults of targets."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from primeur.registry.judging import Observation
from primeur.registry.shadow_rows import Shadowed, list_shadows
from primeur.store.database import Tx
from primeur.store.schema import requests, target_faults
from primeur.store.upsert import insert_or

MOST_ROWS = 20_000
GUARDED = "guard"
"""Code of a fault that is none: a guard found something in the answer."""
_LONGEST_MS = 600_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation of one revision.

    Attributes:
        ended_ms: UTC milliseconds.
    """

    request_id: str
    revision_id: str
    ended_ms: int
    what: Observation


@dataclass(frozen=True, slots=True)
class Fault:
    """A target that was tried for a request and did not answer properly."""

    request_id: str
    revision_id: str
    at_ms: int
    code: str


def keep_faults(tx: Tx, faults: Iterable[Fault]) -> None:
    """Keep faults; the same request failing twice at one revision counts once."""
    rows = [{name: getattr(one, name) for name in Fault.__slots__} for one in faults]
    if rows:
        tx.execute(insert_or(tx.dialect.name, target_faults).on_conflict_do_nothing(), rows)


def list_ended(tx: Tx, revision_ids: Iterable[str], from_ms: int, until_ms: int) -> list[Seen]:
    """Give what ended in ``[from_ms, until_ms)``, oldest first.

    A request that was hung up on by its caller says nothing of its target, and is left out; so is one that took longer
    than ten minutes.
    """
    ids = list(revision_ids)
    ended = requests.c.at_ms + requests.c.duration_us / 1000
    query = (
        select(requests)
        .where(requests.c.revision_id.in_(ids), requests.c.at_ms >= from_ms - _LONGEST_MS, requests.c.at_ms < until_ms)
        .where(ended >= from_ms, ended < until_ms, requests.c.outcome.in_(("completed", "failed")))
        .order_by(requests.c.at_ms)
        .limit(MOST_ROWS)
    )
    faults = (
        select(target_faults)
        .where(target_faults.c.revision_id.in_(ids))
        .where(target_faults.c.at_ms >= from_ms, target_faults.c.at_ms < until_ms)
        .limit(MOST_ROWS)
    )
    faulty = list(tx.execute(faults))
    guarded = {(row.request_id, row.revision_id) for row in faulty if row.code == GUARDED}
    found = [
        Seen(
            row.id,
            row.revision_id,
            row.at_ms + row.duration_us // 1000,
            Observation(
                failed=row.outcome == "failed",
                first_token_us=row.first_token_us if row.outcome == "completed" else None,
                token_us=row.duration_us / row.output_tokens
                if row.output_tokens and row.outcome == "completed"
                else None,
                cost_nanos=row.cost_nanos,
                guarded=(row.id, row.revision_id) in guarded,
            ),
        )
        for row in tx.execute(query)
    ]
    found += [
        Seen(row.request_id, row.revision_id, row.at_ms, Observation(failed=True))
        for row in faulty
        if row.code != GUARDED
    ]
    found += [_shadow(one) for one in list_shadows(tx, ids, from_ms, until_ms, MOST_ROWS)]
    return sorted(found, key=lambda one: (one.ended_ms, one.request_id))


def _shadow(one: Shadowed) -> Seen:
    whole = not one.failed
    return Seen(
        one.request_id,
        one.revision_id,
        one.at_ms + one.duration_us // 1000,
        Observation(
            failed=one.failed,
            first_token_us=one.first_token_us if whole else None,
            token_us=one.duration_us / one.output_tokens if whole and one.output_tokens else None,
            cost_nanos=one.cost_nanos,
        ),
    )
