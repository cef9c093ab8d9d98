"""The event log for auditors: searched, exported, verified, signed."""

from collections.abc import AsyncIterator
from functools import partial
from importlib.metadata import version
from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.chain import Entry
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance import audit_rows as rows
from primeur.governance.audit_forms import FORMS, Form
from primeur.governance.checkpoint_rules import Checkpoint
from primeur.walks.checkpoint_audit import checkpoint_audit, read_checkpoints
from primeur.walks.verify_audit import AuditReport, verify_audit

_AT_ONCE = 500
_MOST = 500


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for in the event log; empty is everything."""

    kind: str = ""
    actor: str = ""
    address: str = ""
    request_id: str = ""
    text: str = ""
    since_ms: int | None = None
    until_ms: int | None = None

    def search(self, caller: Caller) -> rows.AuditSearch:
        """What of it *caller* may see: the affairs of their organisation and of the house."""
        return rows.AuditSearch(
            kind=self.kind or None,
            actor=self.actor or None,
            address=self.address or None,
            request_id=self.request_id or None,
            text=self.text or None,
            since_ms=self.since_ms,
            until_ms=self.until_ms,
            organisation_id=None if caller.key_id == "operator" else caller.organisation_id,
        )


class AuditPage(AuditQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of what is looked for, newest first."""

    before: int | None = None
    limit: int = 50


class AuditExport(AuditQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of what is looked for, oldest first, in a form that other programs read."""

    form: Form = "jsonl"


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the event log; see docs/walks/verify_audit.md for its hash."""

    sequence: int
    at_ms: int
    kind: str
    actor: str
    organisation_id: str
    address: str
    request_id: str
    before: Any
    after: Any
    data: Any
    previous: str
    hash: str


async def list_events(visit: Visit) -> Answer:
    """``GET /api/v1/audit/events``."""
    query = asked(visit, AuditPage)
    most = max(1, min(query.limit, _MOST))
    found = await visit.house.store.read(
        lambda tx: rows.search_events(tx, query.search(visit.caller), query.before, most + 1)
    )
    more = str(found[most - 1].sequence) if len(found) > most else None
    return json_answer(Page([_show(one) for one in found[:most]], more))


async def export_events(visit: Visit) -> Answer:
    """``GET /api/v1/audit/export``."""
    query = asked(visit, AuditExport)
    _, content_type = FORMS[query.form]
    return Answer(200, content_type=content_type, stream=_lines(visit, query))


async def _lines(visit: Visit, query: AuditExport) -> AsyncIterator[bytes]:
    write, _ = FORMS[query.form]
    after, search, program = 0, query.search(visit.caller), version("primeur")
    while found := await visit.house.store.read(partial(rows.read_events, search=search, after=after, most=_AT_ONCE)):
        yield b"".join(write(one, program) for one in found)
        after = found[-1].sequence


async def get_verification(visit: Visit) -> Answer:
    """``GET /api/v1/audit/verification``."""
    return json_answer(await verify_audit(visit.house))


async def list_checkpoints(visit: Visit) -> Answer:
    """``GET /api/v1/audit/checkpoints``."""
    return json_answer(Page(read_checkpoints(visit.house)))


async def post_checkpoint(visit: Visit) -> Answer:
    """``POST /api/v1/audit/checkpoints``."""
    return json_answer(await checkpoint_audit(visit.house, visit.caller), 201)


def _show(entry: Entry) -> EventView:
    json = {name: _read(getattr(entry, name)) for name in ("before", "after", "data")}
    same = {name: getattr(entry, name) for name in EventView.__struct_fields__ if name not in json}
    return EventView(**same, **json)


def _read(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


_EVENTS, _CHECKPOINTS = "/api/v1/audit/events", "/api/v1/audit/checkpoints"
DOORS = (
    Door("GET", _EVENTS, list_events, "Search the event log", "audit:read", face="admin", takes=AuditPage,
         gives=Page[EventView]),
    Door("GET", "/api/v1/audit/export", export_events, "Export the event log as JSON Lines or CEF", "audit:read",
         face="admin", takes=AuditExport),
    Door("GET", "/api/v1/audit/verification", get_verification, "Verify the event log", "audit:read", face="admin",
         gives=AuditReport),
    Door("GET", _CHECKPOINTS, list_checkpoints, "List signed checkpoints of the event log", "audit:read", face="admin",
         gives=Page[Checkpoint]),
    Door("POST", _CHECKPOINTS, post_checkpoint, "Sign the end of the event log", "audit:write",
         tells="CheckpointMade", face="admin", gives=Checkpoint, status=201),
)  # fmt: skip
