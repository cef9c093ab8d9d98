"""What a month's tiers make of a month, where requests were booked at the first tier."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from primeur.metering.rates import Rate, Used, choose_rate
from primeur.store.database import Tx
from primeur.store.schema import requests

Month = tuple[int, int]
"""Its first UTC millisecond, and that of the next one."""


def sold_volume(tx: Tx, month: Month, project_ids: Collection[str], rates: Iterable[Rate]) -> dict[str, int]:
    """Give, by deployment, how many nanos more or less a month's tiers of selling make what projects pay."""
    monthly = {one.id: one for one in rates if one.side == "sell" and one.per == "month"}
    if not monthly:
        return {}
    c = requests.c
    chosen = c.price_id.in_(sorted(monthly)) & c.project_id.in_(sorted(project_ids))
    found: dict[str, int] = {}
    for price_id, deployment, used in _sums(tx, month, c.price_id, chosen):
        found[deployment] = found.get(deployment, 0) + _difference(monthly[price_id], used)
    return found


def bought_volume(tx: Tx, month: Month, provider: str, currency: str, rates: Iterable[Rate]) -> dict[str, int]:
    """Give, by deployment, how many nanos more or less a month's tiers of buying make what a provider is owed."""
    mine = [one for one in rates if one.side == "buy" and one.party == provider]
    if not any(one.per == "month" for one in mine):
        return {}
    c = requests.c
    first, end = month
    begins = sorted({max(first, one.from_ms) for one in mine if one.from_ms < end} | {first})
    found: dict[str, int] = {}
    for from_ms, to_ms in zip(begins, [*begins[1:], end], strict=True):
        for _, deployment, used in _sums(tx, (from_ms, to_ms), c.provider, c.provider == provider):
            rate = choose_rate(mine, (provider,), deployment, from_ms)
            if rate is not None and rate.per == "month" and rate.currency == currency:
                found[deployment] = found.get(deployment, 0) + _difference(rate, used)
    return found


def _difference(rate: Rate, used: Used) -> int:
    return used.cost(rate.units) - used.cost({unit: steps[:1] for unit, steps in rate.units.items()})


def _sums(
    tx: Tx, span: Month, group: ColumnElement[Any], chosen: ColumnElement[bool]
) -> Iterable[tuple[str, str, Used]]:
    c = requests.c
    made = c.input_tokens + c.output_tokens > 0
    cached = case((c.cached_tokens > c.input_tokens, c.input_tokens), else_=c.cached_tokens)
    reasoning = case((c.reasoning_tokens > c.output_tokens, c.output_tokens), else_=c.reasoning_tokens)
    columns = (c.input_tokens, cached, c.output_tokens, reasoning, c.images)
    sums = (*(func.sum(column) for column in columns), func.count(), func.sum(c.duration_us))
    query = select(group, c.deployment, *sums).where(c.at_ms >= span[0], c.at_ms < span[1], made, chosen)
    for name, deployment, *numbers in tx.execute(query.group_by(group, c.deployment)):
        yield str(name), str(deployment), Used(*(int(number) for number in numbers))
