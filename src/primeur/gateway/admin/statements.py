"""Statements of providers and partners, and of customers' accounts."""

from typing import Annotated, Literal

import msgspec

from primeur.billing import statement_rows
from primeur.billing.account import AccountView, draw_account
from primeur.billing.paper import StatementView, show_statement
from primeur.billing.pdf import draw_statement
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.store.database import Tx
from primeur.walks.pay_statement import pay_statement
from primeur.walks.state_account import state_account
from primeur.walks.state_month import Stated, StatementRun, state_month

_PDF = b"application/pdf"


class StatementQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which statements: of providers or partners, of one of them, of a month; all of them when not given."""

    kind: Literal["", "provider", "partner"] = ""
    party: str = ""
    period: Annotated[str, msgspec.Meta(max_length=8)] = ""


class AccountQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which month, such as ``2026-11``."""

    period: Annotated[str, msgspec.Meta(max_length=8)]


class StatedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did for one party and currency.

    Attributes:
        statement: null where there was nothing to state, or *fault* says why not.
        fresh: it was made by this run.
    """

    kind: str
    party: str
    currency: str
    statement: StatementView | None
    fault: str
    fresh: bool


class StatementRunView(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did, party by party; *dry_run*: what it would do."""

    period: str
    dry_run: bool
    data: list[StatedView]


def _stated(one: Stated) -> StatedView:
    paper = None if one.statement is None else show_statement(one.statement)
    who = one.owing
    return StatedView(
        kind=who.kind, party=who.party, currency=who.currency, statement=paper, fault=one.fault, fresh=one.fresh
    )


async def list_statements(visit: Visit) -> Answer:
    """``GET /api/v1/statements``: newest first."""
    query = asked(visit, StatementQuery)

    def read(tx: Tx) -> Page[StatementView]:
        found = statement_rows.list_statements(tx, query.kind, query.party, query.period)
        return Page([show_statement(one) for one in found])

    return json_answer(await visit.house.store.read(read))


async def post_run(visit: Visit) -> Answer:
    """``POST /api/v1/statements``: state a month, or try it."""
    ask = visit.read(StatementRun)
    made = await state_month(visit.house, visit.caller, ask)
    return json_answer(StatementRunView(period=ask.period, dry_run=ask.dry_run, data=[_stated(one) for one in made]))


async def get_statement(visit: Visit) -> Answer:
    """``GET /api/v1/statements/{statement}``: by number or id."""
    name = visit.params["statement"]
    found = await visit.house.store.read(lambda tx: statement_rows.find_statement(tx, name))
    return json_answer(show_statement(found))


async def get_pdf(visit: Visit) -> Answer:
    """``GET /api/v1/statements/{statement}/pdf``."""
    name = visit.params["statement"]
    found = await visit.house.store.read(lambda tx: statement_rows.find_statement(tx, name))
    return _attached(draw_statement(found), found.number)


async def post_paid(visit: Visit) -> Answer:
    """``POST /api/v1/statements/{statement}/paid``."""
    return json_answer(show_statement(await pay_statement(visit.house, visit.caller, visit.params["statement"])))


async def get_account(visit: Visit) -> Answer:
    """``GET /api/v1/customers/{customer}/statement``."""
    period = asked(visit, AccountQuery).period
    return json_answer(await state_account(visit.house, visit.caller, visit.params["customer"], period))


async def get_account_pdf(visit: Visit) -> Answer:
    """``GET /api/v1/customers/{customer}/statement/pdf``."""
    period = asked(visit, AccountQuery).period
    found = await state_account(visit.house, visit.caller, visit.params["customer"], period)
    return _attached(draw_account(found), f"statement-{period}")


def _attached(paper: bytes, name: str) -> Answer:
    place = (b"content-disposition", b'attachment; filename="%b.pdf"' % name.encode("ascii", "replace"))
    return Answer(200, paper, [place], content_type=_PDF)


_ONE, _ACCOUNT = "/api/v1/statements/{statement}", "/api/v1/customers/{customer}/statement"
DOORS = (
    Door("GET", "/api/v1/statements", list_statements, "List statements of providers and partners", "statements:read",
         face="admin", takes=StatementQuery, gives=Page[StatementView]),
    Door("POST", "/api/v1/statements", post_run, "State a month, or try it", "statements:write",
         tells="StatementIssued", face="admin", takes=StatementRun, gives=StatementRunView),
    Door("GET", _ONE, get_statement, "Show a statement", "statements:read", face="admin", gives=StatementView),
    Door("GET", _ONE + "/pdf", get_pdf, "Show a statement as PDF", "statements:read", face="admin"),
    Door("POST", _ONE + "/paid", post_paid, "Note that a statement is paid", "statements:write",
         tells="StatementPaid", face="admin", gives=StatementView),
    Door("GET", _ACCOUNT, get_account, "Show a customer's account for a month", "billing:read", face="admin",
         takes=AccountQuery, gives=AccountView),
    Door("GET", _ACCOUNT + "/pdf", get_account_pdf, "Show a customer's account as PDF", "billing:read", face="admin",
         takes=AccountQuery),
)  # fmt: skip
