"""The request log: one row per request, searched newest first."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, or_, select

from primeur.core.errors import BadRequest
from primeur.core.usage import Usage, UsageEvent
from primeur.store.database import Tx
from primeur.store.schema import requests

MOST = 500


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None matches everything.

    Attributes:
        text: part of the id, the error, or what was kept of prompt and answer; capitals do not matter.
        status: an HTTP status.
        refused: only what the holder of a right did not serve; *refusal* names one reason.
        from_ms, to_ms: UTC milliseconds; *to_ms* is not included.
        before: the cursor that the page before gave.
        limit: rows of a page, at most 500.
    """

    project_id: str | None = None
    text: str | None = None
    key_id: str | None = None
    deployment: str | None = None
    outcome: str | None = None
    status: int | None = None
    refused: bool = False
    refusal: str | None = None
    right_id: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    before: str | None = None
    limit: int = 50


def search_requests(tx: Tx, search: Search) -> tuple[list[UsageEvent], str | None]:
    """Give a page of requests, newest first, and the cursor of the next page; None when this is the last.

    Raises:
        BadRequest: the cursor is none of ours, or the page is too long.
    """
    if not 1 <= search.limit <= MOST:
        raise BadRequest(f"limit must be 1 to {MOST}, not {search.limit}", param="limit")
    c = requests.c
    query = _filtered(search).order_by(c.at_ms.desc(), c.id.desc()).limit(search.limit + 1)
    found = [_event(row) for row in tx.execute(query)]
    page = found[: search.limit]
    more = len(found) > search.limit
    return page, f"{page[-1].at_ms}.{page[-1].id}" if more else None


def find_request(tx: Tx, request_id: str, project_id: str | None = None) -> UsageEvent | None:
    """Give one request, of one project or of any; None when it is not there."""
    query = select(requests).where(requests.c.id == request_id)
    if project_id is not None:
        query = query.where(requests.c.project_id == project_id)
    row = tx.execute(query).first()
    return None if row is None else _event(row)


def _filtered(search: Search) -> Select[Any]:
    c = requests.c
    query = select(requests)
    for column, wanted in (
        (c.project_id, search.project_id),
        (c.key_id, search.key_id),
        (c.deployment, search.deployment),
        (c.outcome, search.outcome),
        (c.status, search.status),
        (c.refusal, search.refusal),
        (c.right_id, search.right_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if search.refused:
        query = query.where(c.refusal.is_not(None))
    if search.from_ms is not None:
        query = query.where(c.at_ms >= search.from_ms)
    if search.to_ms is not None:
        query = query.where(c.at_ms < search.to_ms)
    if search.text:
        texts = (c.id, c.error_code, c.error_message, c.prompt, c.answer)
        query = query.where(or_(*(column.icontains(search.text, autoescape=True) for column in texts)))
    if search.before is not None:
        at_ms, last = _cursor(search.before)
        query = query.where((c.at_ms < at_ms) | ((c.at_ms == at_ms) & (c.id < last)))
    return query


def _cursor(text: str) -> tuple[int, str]:
    at_ms, _, last = text.partition(".")
    if not (at_ms.isascii() and at_ms.isdigit() and len(at_ms) < 16 and last):
        raise BadRequest(f"{text!r} is no cursor; give `next` of the page before", param="before")
    return int(at_ms), last


def _event(row: Row[Any]) -> UsageEvent:
    values = dict(row._mapping)  # noqa: SLF001
    usage = Usage(**{name: values.pop(name) for name in Usage.__struct_fields__})
    return UsageEvent(**values, usage=usage)
