"""Tiers by which profit is shared out, and what each period paid."""

from typing import Any

import msgspec

from primeur.core.money import amount_of
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.ledger import distribution_rows as rows
from primeur.ledger.distribution_rows import Distribution, WaterfallRow
from primeur.ledger.rules.tiers import Tiers, show_cents
from primeur.walks.run_distribution import DistributionRun, pay_distribution, run_distribution, set_tiers


class TiersView(msgspec.Struct, frozen=True, kw_only=True):
    """Tiers under a name, as their document says them."""

    id: str
    name: str
    document: dict[str, Any]
    created_ms: int


class DistributionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a period paid; amounts are decimals in text.

    Attributes:
        profit: as the books say it, exact; *taken* is what that was rounded to, the remainder is posted.
        distributed: of this period; *cumulative* of all periods so far; *carried*: what waits for the next one.
        paid: by party.
        fresh: it was made by this request.
    """

    id: str
    name: str
    period: str
    state: str
    currency: str
    profit: str
    taken: str
    distributed: str
    cumulative: str
    carried: str
    paid: dict[str, str]
    created_ms: int
    ended_ms: int | None
    dry_run: bool = False
    fresh: bool = False


class DistributionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Only those by these tiers; all of them when not given."""

    name: str = ""


def _tiers(row: WaterfallRow) -> TiersView:
    return TiersView(id=row.id, name=row.name, document=dict(row.document), created_ms=row.created_ms)


def _show(one: Distribution, *, dry_run: bool = False, fresh: bool = False) -> DistributionView:
    return DistributionView(
        id=one.id, name=one.name, period=one.period, state=one.state, currency=one.currency,
        profit=amount_of(one.profit_nanos), taken=show_cents(one.profit_cents),
        distributed=show_cents(one.distributed_cents), cumulative=show_cents(one.cumulative_cents),
        carried=show_cents(one.total_cents - one.cumulative_cents),
        paid={party: show_cents(cents) for party, cents in one.paid.items()},
        created_ms=one.created_ms, ended_ms=one.ended_ms, dry_run=dry_run, fresh=fresh,
    )  # fmt: skip


async def list_tiers(visit: Visit) -> Answer:
    """``GET /api/v1/tiers``: those that hold."""
    return json_answer(Page([_tiers(one) for one in await visit.house.store.read(rows.list_waterfalls)]))


async def put_tiers(visit: Visit) -> Answer:
    """``PUT /api/v1/tiers/{name}``."""
    document = msgspec.to_builtins(visit.read(Tiers))
    return json_answer(_tiers(await set_tiers(visit.house, visit.caller, visit.params["name"], document)))


async def list_distributions(visit: Visit) -> Answer:
    """``GET /api/v1/distributions``: the newest period first."""
    name = asked(visit, DistributionQuery).name
    found = await visit.house.store.read(lambda tx: rows.list_distributions(tx, name))
    return json_answer(Page([_show(one) for one in found]))


async def post_run(visit: Visit) -> Answer:
    """``POST /api/v1/distributions/{name}``: share out a period, or try it."""
    ask = visit.read(DistributionRun)
    done = await run_distribution(visit.house, visit.caller, visit.params["name"], ask)
    return json_answer(_show(done.distribution, dry_run=ask.dry_run, fresh=done.fresh))


async def post_paid(visit: Visit) -> Answer:
    """``POST /api/v1/distributions/{name}/{period}/paid``."""
    name, period = visit.params["name"], visit.params["period"]
    return json_answer(_show(await pay_distribution(visit.house, visit.caller, name, period)))


DOORS = (
    Door("GET", "/api/v1/tiers", list_tiers, "List tiers", "statements:read", face="admin", gives=Page[TiersView]),
    Door("PUT", "/api/v1/tiers/{name}", put_tiers, "Say by which tiers profit is shared out", "statements:write",
         tells="TiersSet", face="admin", takes=Tiers, gives=TiersView),
    Door("GET", "/api/v1/distributions", list_distributions, "List distributions", "statements:read", face="admin",
         takes=DistributionQuery, gives=Page[DistributionView]),
    Door("POST", "/api/v1/distributions/{name}", post_run, "Share out a period's profit, or try it",
         "statements:write", tells="ProfitDistributed", face="admin", takes=DistributionRun, gives=DistributionView),
    Door("POST", "/api/v1/distributions/{name}/{period}/paid", post_paid, "Note that the parties are paid",
         "statements:write", tells="ProfitPaid", face="admin", gives=DistributionView),
)  # fmt: skip
