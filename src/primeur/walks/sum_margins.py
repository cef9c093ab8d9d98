"""Say what requests earned, cost and left, by model, customer, provider, deployment, project or day."""

from collections.abc import Callable, Mapping
from typing import Literal

from primeur.billing.customer_rows import list_customers, payers
from primeur.billing.money_rows import MoneySum, list_money
from primeur.billing.rules.margins import MarginLine
from primeur.billing.rules.periods import Span
from primeur.billing.served_rows import ServedSum, count_served
from primeur.core.caller import Caller
from primeur.governance.rows import list_projects
from primeur.governance.rules import visible_project
from primeur.metering.rate_rows import list_rates
from primeur.metering.rates import Rate, choose_rate
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.sum_money import sum_up

MarginBy = Literal["model", "customer", "provider", "deployment", "project", "day"]
_Sum = MoneySum | ServedSum
_SIDES = {"sold", "bought", "shared"}
_NOBODY = "-"


async def sum_margins(house: House, caller: Caller, by: MarginBy, span: Span) -> list[MarginLine]:
    """Sum up whole UTC days that begin in *span*: the group with most requests first, days in their order."""
    await sum_up(house)
    only = visible_project(caller)

    def read(tx: Tx) -> list[MarginLine]:
        name, labels = _grouping(tx, by)
        lines: dict[str, MarginLine] = {}

        def line_of(one: _Sum) -> MarginLine:
            found = name(one)
            return lines.setdefault(found, MarginLine(found, labels.get(found, found)))

        bought: dict[tuple[str, str, str, int], int] = {}
        for one in list_money(tx, span):
            if one.side in _SIDES and only in {None, one.project_id}:
                line_of(one).add(one.side, one.currency, one.requests, one.nanos)
                if one.side == "bought":
                    key = (one.project_id, one.deployment, one.provider, one.day_ms)
                    bought[key] = bought.get(key, 0) + one.requests
        rates = [rate for rate in list_rates(tx) if rate.side == "buy"]
        for served in count_served(tx, span, only):
            line = line_of(served)
            line.requests += served.requests
            line.unsold += served.unsold
            line.unbought += _unbought(served, bought, rates)
        return _sorted(lines, by)

    return await house.store.read(read)


def _unbought(served: ServedSum, bought: dict[tuple[str, str, str, int], int], rates: list[Rate]) -> int:
    """How many of these requests have no cost: those that booked none, unless their price says that it is zero."""
    key = (served.project_id, served.deployment, served.provider, served.day_ms)
    # Several models may share what was booked; each request is taken off once.
    known = min(served.requests, bought.get(key, 0))
    bought[key] = bought.get(key, 0) - known
    rate = choose_rate(rates, (served.provider,), served.deployment, served.day_ms)
    free = rate is not None and not any(nanos for steps in rate.units.values() for _, nanos in steps)
    return 0 if free else served.requests - known


def _grouping(tx: Tx, by: MarginBy) -> tuple[Callable[[_Sum], str], Mapping[str, str]]:
    """How a sum is named, and what people call it."""
    if by == "customer":
        paying = payers(tx)
        return lambda one: paying.get(one.project_id, _NOBODY), {one.id: one.name for one in list_customers(tx)}
    if by == "project":
        return lambda one: one.project_id, {one.id: one.name for one in list_projects(tx)}
    if by == "day":
        return lambda one: str(one.day_ms), {}
    return lambda one: str(getattr(one, by)) or _NOBODY, {}


def _sorted(lines: dict[str, MarginLine], by: MarginBy) -> list[MarginLine]:
    if by == "day":
        return sorted(lines.values(), key=lambda line: int(line.name))
    return sorted(lines.values(), key=lambda line: (-line.requests, line.name))
