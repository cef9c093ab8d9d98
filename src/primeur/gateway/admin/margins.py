"""What requests earn and cost."""

import msgspec

from primeur.billing.rules.margins import Earned, MarginLine, total_of_lines
from primeur.billing.rules.periods import DAY_MS, Span, day_of
from primeur.gateway.admin.page import asked
from primeur.gateway.admin.usage import Moment
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.sum_margins import MarginBy, sum_margins


class MarginQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to sum up: whole UTC days from *from_ms* (its day included) to *to_ms*; the last 30 when not given."""

    by: MarginBy = "model"
    from_ms: Moment | None = None
    to_ms: Moment | None = None


class EarnedView(msgspec.Struct, frozen=True, kw_only=True):
    """One currency, in nanos.

    Attributes:
        margin_nanos: null is unknown: some requests have no price or no cost; *known_margin_nanos* leaves them out.
        cost_per_chat_nanos: what an answer costs on average; null while no cost is known.
    """

    revenue_nanos: int
    cost_nanos: int | None
    share_nanos: int
    margin_nanos: int | None
    known_margin_nanos: int
    cost_per_chat_nanos: int | None


class MarginView(msgspec.Struct, frozen=True, kw_only=True):
    """What one group came to, by currency; *unsold* requests have no price of selling, *unbought* no cost."""

    name: str
    label: str
    requests: int
    unsold: int
    unbought: int
    money: dict[str, EarnedView]


class MarginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Margins by group over a time span, and all together."""

    by: str
    from_ms: int
    to_ms: int
    data: list[MarginView]
    total: MarginView


async def get_margins(visit: Visit) -> Answer:
    """``GET /api/v1/margins``."""
    query = asked(visit, MarginQuery)
    to_ms = visit.arrived_ms + 1 if query.to_ms is None else query.to_ms
    from_ms = day_of(max(0, to_ms - 30 * DAY_MS) if query.from_ms is None else query.from_ms)
    lines = await sum_margins(visit.house, visit.caller, query.by, Span(from_ms, max(from_ms, to_ms)))
    total = _show(total_of_lines(lines))
    return json_answer(
        MarginAnswer(by=query.by, from_ms=from_ms, to_ms=to_ms, data=[_show(one) for one in lines], total=total)
    )


def _show(line: MarginLine) -> MarginView:
    money = {currency: _earned(line, one, currency) for currency, one in sorted(line.money.items())}
    same = {name: getattr(line, name) for name in ("name", "label", "requests", "unsold", "unbought")}
    return MarginView(**same, money=money)


def _earned(line: MarginLine, one: Earned, currency: str) -> EarnedView:
    return EarnedView(
        revenue_nanos=one.revenue,
        cost_nanos=one.cost if one.bought_requests or not line.unbought else None,
        share_nanos=one.share,
        margin_nanos=line.margin(currency),
        known_margin_nanos=one.known_margin,
        cost_per_chat_nanos=one.cost_per_request,
    )


DOORS = (
    Door("GET", "/api/v1/margins", get_margins, "Sum up what requests earn and cost", "statements:read", face="admin",
         takes=MarginQuery, gives=MarginAnswer),
)  # fmt: skip
