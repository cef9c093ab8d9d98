"""Give callers the prices by units that they pay; compiled once for each snapshot."""

from collections.abc import Mapping
from dataclasses import replace

from primeur.core.caller import Caller
from primeur.core.price import Price
from primeur.governance.rows import list_projects
from primeur.metering.bounds import UnitPrice
from primeur.metering.rate_rows import list_rates
from primeur.metering.rates import TIME_UNITS, Rate, charged_units, choose_rate
from primeur.registry.deployment_rows import list_deployments
from primeur.store.database import Tx

Negotiated = Mapping[str, Mapping[str, Price]]


def read_negotiated(tx: Tx, now_ms: int) -> Negotiated:
    """Give prices that were set by units and hold now, negotiated or listed, by project and deployment.

    Time on a GPU is known when a request has ended, and in the books alone.
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
            name: told_price(rate)
            for name, rate in chosen.items()
            if rate is not None and rate.units.keys() - {*TIME_UNITS}
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
    """Give what requests are told of a price, and the most that they can come to."""
    units = {unit: steps for unit, steps in charged_units(rate).items() if unit not in TIME_UNITS}
    first = {unit: steps[0][1] for unit, steps in units.items()}
    fresh = first.get("input", 0)
    kinds = (("input", "cached"), ("output", "reasoning"), ("image",), ("request",))
    dearest = [max((nanos for unit in units for _, nanos in rate.units.get(unit, ())), default=0) for units in kinds]
    told = (rate.id, rate.currency, fresh, first.get("cached", fresh), first.get("output", 0))
    return UnitPrice(*told, (dearest[0], dearest[1], dearest[2], dearest[3]), units)
