"""Usage summed up, and the request log."""

from typing import Annotated, Literal

import msgspec

from primeur.core.errors import NotFound
from primeur.core.usage import Usage, UsageEvent
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance import rows as governance
from primeur.governance.member_rows import list_members
from primeur.governance.rules import visible_project
from primeur.metering.log_rows import Search, find_request, search_requests
from primeur.metering.usage_rows import DAY_MS, UsageLine, sum_usage
from primeur.store.database import Tx
from primeur.walks.change_key import find
from primeur.walks.choose_project import choose_project

Moment = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
_MONTH_MS = 30 * DAY_MS


class UsageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to sum up.

    Attributes:
        from_ms, to_ms: UTC milliseconds, the second not included; the last 30 days when not given.
    """

    by: Literal["key", "deployment", "project", "day", "model"] = "deployment"
    from_ms: Moment | None = None
    to_ms: Moment | None = None
    project: str = ""


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """What one group used; costs are nano-units by currency, *unpriced* requests have an unknown cost.

    Attributes:
        duration_us: how long its answers took, together; a GPU-second is a million.
    """

    name: str
    label: str
    requests: int
    failed: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    images: int
    duration_us: int
    costs: dict[str, int]
    unpriced: int


class UsageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Usage by group over a time span, and all together."""

    by: str
    from_ms: int
    to_ms: int
    data: list[UsageView]
    total: UsageView


class LogQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for; see `primeur.metering.log_rows.Search`."""

    text: Annotated[str, msgspec.Meta(max_length=200)] = ""
    key: str = ""
    project: str = ""
    deployment: str = ""
    outcome: Literal["", "completed", "cancelled", "failed", "refused"] = ""
    status: int | None = None
    from_ms: Moment | None = None
    to_ms: Moment | None = None
    before: str = ""
    limit: int = 50


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """One request as the log keeps it; prompt and answer only where the project keeps them."""

    id: str
    at_ms: int
    route: str
    outcome: str
    status: int
    project_id: str
    key_id: str
    key: str
    deployment: str
    revision_id: str
    provider: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    counted_by: str
    images: int
    cost_nanos: int | None
    currency: str | None
    streamed: bool
    first_token_us: int | None
    duration_us: int
    overhead_us: int
    error_code: str | None
    error_message: str | None
    address: str
    prompt: str | None = None
    answer: str | None = None
    refusal: str | None = None
    right_id: str | None = None
    evidence: str | None = None


async def get_usage(visit: Visit) -> Answer:
    """``GET /api/v1/usage``."""
    query = asked(visit, UsageQuery)
    to_ms = visit.arrived_ms + 1 if query.to_ms is None else query.to_ms
    from_ms = max(0, to_ms - _MONTH_MS) if query.from_ms is None else query.from_ms

    def read(tx: Tx) -> list[UsageLine]:
        return sum_usage(tx, query.by, from_ms=from_ms, to_ms=to_ms, project_id=_project(tx, visit, query.project))

    lines = await visit.house.store.read(read)
    total = _show(_total(lines))
    return json_answer(
        UsageAnswer(by=query.by, from_ms=from_ms, to_ms=to_ms, data=[_show(one) for one in lines], total=total)
    )


async def list_requests(visit: Visit) -> Answer:
    """``GET /api/v1/requests``."""
    query = asked(visit, LogQuery)

    def read(tx: Tx) -> Page[RequestView]:
        names = _names(tx)
        search = Search(
            project_id=_project(tx, visit, query.project),
            text=query.text or None,
            key_id=find(tx, visit.caller, query.key).id if query.key else None,
            deployment=query.deployment or None,
            outcome=query.outcome or None,
            status=query.status,
            from_ms=query.from_ms,
            to_ms=query.to_ms,
            before=query.before or None,
            limit=query.limit,
        )
        found, cursor = search_requests(tx, search)
        return Page([_request(one, names, whole=False) for one in found], cursor)

    return json_answer(await visit.house.store.read(read))


async def get_request(visit: Visit) -> Answer:
    """``GET /api/v1/requests/{request}``."""

    def read(tx: Tx) -> RequestView:
        found = find_request(tx, visit.params["request"], visible_project(visit.caller))
        if found is None:
            raise NotFound(f"there is no request {visit.params['request']!r} in the log")
        return _request(found, _names(tx), whole=True)

    return json_answer(await visit.house.store.read(read))


def _names(tx: Tx) -> dict[str, str]:
    """Names of those who call: keys, and members who are signed in to the console."""
    members = {one.id: one.name for one in list_members(tx)}
    return members | {one.id: one.name for one in governance.list_keys(tx)}


def _project(tx: Tx, visit: Visit, name: str) -> str | None:
    return choose_project(tx, visit.caller, name).id if name else visible_project(visit.caller)


_ADDED = (
    "requests", "failed", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images", "duration_us",
)  # fmt: skip


def _total(lines: list[UsageLine]) -> UsageLine:
    total = UsageLine("total", "total")
    for line in lines:
        for name in _ADDED:
            setattr(total, name, getattr(total, name) + getattr(line, name))
        total.unpriced += line.unpriced
        for currency, nanos in line.costs.items():
            total.costs[currency] = total.costs.get(currency, 0) + nanos
    return total


def _show(line: UsageLine) -> UsageView:
    return UsageView(**{name: getattr(line, name) for name in UsageView.__struct_fields__})


def _request(event: UsageEvent, names: dict[str, str], *, whole: bool) -> RequestView:
    usage = {name: getattr(event.usage, name) for name in Usage.__struct_fields__}
    texts = {"prompt", "answer"}
    skipped = texts | {"key"} | set(usage)
    same = {name: getattr(event, name) for name in RequestView.__struct_fields__ if name not in skipped}
    kept = {name: getattr(event, name) for name in texts} if whole else {}
    return RequestView(**same, **usage, **kept, key=names.get(event.key_id, event.key_id))


DOORS = (
    Door("GET", "/api/v1/usage", get_usage, "Sum up what was used", "usage:read", face="admin", takes=UsageQuery,
         gives=UsageAnswer),
    Door("GET", "/api/v1/requests", list_requests, "Search the request log", "log:read", face="admin", takes=LogQuery,
         gives=Page[RequestView]),
    Door("GET", "/api/v1/requests/{request}", get_request, "Show a request", "log:read", face="admin",
         gives=RequestView),
)  # fmt: skip
