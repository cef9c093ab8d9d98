"""Give callers the prices by units that they pay; compiled once for each snapshot."""

from collections.abc import Mapping
from dataclasses import replace

from primeur.core.caller import Caller
from primeur.core.chat import Price
from primeur.governance.rows import list_projects
from primeur.metering.bounds import UnitPrice
from primeur.metering.rate_rows import list_rates
from primeur.metering.rates import TOKEN_UNITS, Rate, choose_rate
from primeur.registry.deployment_rows import list_deployments
from primeur.store.database import Tx

Negotiated = Mapping[str, Mapping[str, Price]]


def read_negotiated(tx: Tx, now_ms: int) -> Negotiated:
    """Give prices of tokens that were set by units and hold now, negotiated or listed, by project and deployment.

    What other units and tiers make of a price is exact in the books alone: a request is told its first tier, and the
    most that it can come to is held.
    """
    rates = [one for one in list_rates(tx) if one.side == "sell"]
    if not rates:
        return {}
    names = [row.name for row in list_deployments(tx)]
    found: dict[str, dict[str, Price]] = {}
    for project in list_projects(tx):
        parties = (project.id, project.organisation_id, "")
        chosen = {name: choose_rate(rates, parties, name, now_ms) for name in names}
        prices: dict[str, Price] = {
            name: told_price(rate) for name, rate in chosen.items() if rate is not None and "input" in rate.units
        }
        if prices:
            found[project.id] = prices
    return found


def with_prices(callers: Mapping[bytes, Caller], found: Negotiated) -> Mapping[bytes, Caller]:
    """Give the callers with the prices of their projects."""
    if not found:
        return callers
    return {digest: replace(one, prices=found.get(one.project_id, {})) for digest, one in callers.items()}


def told_price(rate: Rate) -> UnitPrice:
    """Give what requests are told of a price of tokens, and the most that they can come to."""
    first = {unit: rate.units[unit][0][1] for unit in TOKEN_UNITS if unit in rate.units}
    fresh = first["input"]
    kinds = (("input", "cached"), ("output", "reasoning"), ("image",), ("request",))
    dearest = [max((nanos for unit in units for _, nanos in rate.units.get(unit, ())), default=0) for units in kinds]
    told = (rate.id, rate.currency, fresh, first.get("cached", fresh), first["output"])
    return UnitPrice(*told, (dearest[0], dearest[1], dearest[2], dearest[3]))
