"""What each revision of a deployment did in a span of time: requests, errors, tokens, cost, and how quick it was."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select

from primeur.metering.benchmarks import percentile
from primeur.store.database import Tx
from primeur.store.schema import requests, revisions
from primeur.store.usage_sums import used

REVISIONS_MOST = 20
SAMPLES_MOST = 2000
"""Answers of one revision, the newest, that its percentiles are taken from."""
LOOKED_AT_MOST = 20_000
"""Answers of one revision that are looked through for those of one project."""
_SUMS = ("requests", "failed", "refused", "input_tokens", "output_tokens", "unpriced")
_READ = (requests.c.first_token_us, requests.c.duration_us, requests.c.streamed, requests.c.output_tokens)
_Answer = tuple[int | None, int, bool, int]


@dataclass(slots=True)
class RevisionMetrics:
    """What one revision did.

    Attributes:
        failed: requests that ended in an error of the target or were refused.
        costs: nano-units by currency; *unpriced* requests have an unknown cost.
        sampled: completed answers that the percentiles are taken from.
        first_us: microseconds to the first token, which half and 95 % of the answers stay within.
        between_us: microseconds from token to token, the same; each stream counts with its mean.
    """

    revision_id: str
    number: int
    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    costs: dict[str, int] = field(default_factory=dict)
    unpriced: int = 0
    sampled: int = 0
    first_us: tuple[int, int] | None = None
    between_us: tuple[int, int] | None = None


def read_metrics(
    tx: Tx, deployment: str, *, span: tuple[int, int], project_id: str | None = None
) -> list[RevisionMetrics]:
    """Give what each revision that was asked did, the newest first; at most `REVISIONS_MOST`.

    Args:
        span: UTC milliseconds, the second not included.
    """
    source = used(*span, None if project_id is None else [project_id])
    c, number = source.c, revisions.c.number
    query = (
        select(c.revision_id, number, c.currency, *(func.sum(c[name]) for name in ("cost_nanos", *_SUMS)))
        .select_from(source.join(revisions, revisions.c.id == c.revision_id))
        .where(c.deployment == deployment)
        .group_by(c.revision_id, number, c.currency)
    )
    found: dict[str, RevisionMetrics] = {}
    for revision_id, counted, currency, nanos, *sums in tx.execute(query):
        one = found.setdefault(revision_id, RevisionMetrics(revision_id, counted))
        _add(one, currency, int(nanos), dict(zip(_SUMS, map(int, sums), strict=True)))
    newest = sorted(found.values(), key=lambda each: each.number, reverse=True)[:REVISIONS_MOST]
    for one in newest:
        _measure(one, _answers(tx, one.revision_id, span, project_id))
    return newest


def _add(one: RevisionMetrics, currency: str, nanos: int, sums: dict[str, int]) -> None:
    one.requests += sums["requests"]
    one.failed += sums["failed"] + sums["refused"]
    one.input_tokens += sums["input_tokens"]
    one.output_tokens += sums["output_tokens"]
    one.unpriced += sums["unpriced"]
    if currency:
        one.costs[currency] = one.costs.get(currency, 0) + nanos


def newest_answers(revision_id: str, span: tuple[int, int]) -> Select[Any]:
    """Ask for the completed answers of a revision, the newest first; an index has them in this order."""
    c = requests.c
    return (
        select(*_READ, c.project_id)
        .where(c.revision_id == revision_id, c.outcome == "completed", c.at_ms >= span[0], c.at_ms < span[1])
        .order_by(c.at_ms.desc())
    )


def _answers(tx: Tx, revision_id: str, span: tuple[int, int], project_id: str | None) -> list[_Answer]:
    """Give the newest completed answers of a revision, and of one project those among the newest `LOOKED_AT_MOST`."""
    query = newest_answers(revision_id, span)
    if project_id is not None:
        newest = query.limit(LOOKED_AT_MOST).subquery()
        query = select(newest).where(newest.c.project_id == project_id)
    return [(*row[: len(_READ)],) for row in tx.execute(query.limit(SAMPLES_MOST))]


def _measure(one: RevisionMetrics, answers: Iterable[_Answer]) -> None:
    first: list[int] = []
    between: list[int] = []
    for first_us, duration_us, streamed, tokens in answers:
        one.sampled += 1
        if first_us is None:
            continue
        first.append(first_us)
        if streamed and tokens > 1:
            between.append((duration_us - first_us) // (tokens - 1))
    one.first_us, one.between_us = _halves(first), _halves(between)


def _halves(values: list[int]) -> tuple[int, int] | None:
    half, most = percentile(values, 0.5), percentile(values, 0.95)
    return None if half is None or most is None else (int(half), int(most))
