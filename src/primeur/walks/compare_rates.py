"""Hold declared prices by units and shares against those there are; a step of `compare_document`."""

from collections.abc import Sequence
from typing import Any

from primeur.billing.rules.periods import day_named
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotFound
from primeur.ledger.rules.tiers import read_share
from primeur.metering import rate_rows
from primeur.metering.rates import Rate
from primeur.registry.deployment_rows import list_aliases, list_deployments
from primeur.store.database import Tx
from primeur.walks.read_document import Declared
from primeur.walks.set_price import Begins
from primeur.walks.set_rate import NewRate, side_of, units_of
from primeur.walks.set_share import NewShare

Fields = dict[str, Any]


def rate_wanted(_tx: Tx, entry: Declared) -> Fields:
    """Give what is declared, spelled as `rate_there` spells it."""
    ask: NewRate = entry.what
    who = {"provider": ask.provider} if ask.provider else {"customer": ask.customer} if ask.customer else {}
    same = {"currency": ask.currency, "per": ask.per, "prepaid": ask.prepaid, "units": _spelled(units_of(ask))}
    return who | {"deployment": ask.deployment} | same | starts(ask)


def rate_there(tx: Tx, caller: Caller, entry: Declared) -> Fields | None:
    """Give the version that the entry means: of its beginning, or the newest; None when there is none."""
    ask: NewRate = entry.what
    try:
        side, party = side_of(tx, caller, ask)
    except (BadRequest, NotFound):
        # The document itself may add the provider first; whatever is wrong is said when it is made so.
        return None
    meant = (side, party, _named(tx, ask.deployment))
    found = [one for one in rate_rows.list_rates(tx) if (one.side, one.party, one.subject) == meant]
    rate = next((one for one in found if starts(ask).get("from_ms") in {None, one.from_ms}), None)
    return None if rate is None else _fields(rate) | {"deployment": ask.deployment} | _who(ask)


def share_wanted(_tx: Tx, entry: Declared) -> Fields:
    """Give what is declared, spelled as `share_there` spells it."""
    ask: NewShare = entry.what
    same = {"partner": ask.partner, "provider": ask.provider, "deployment": ask.deployment}
    return same | {"part": str(read_share(f"shares.{entry.name}.part", ask.part))} | starts(ask)


def share_there(tx: Tx, _caller: Caller, entry: Declared) -> Fields | None:
    """Give the version that the entry means; None when there is none."""
    ask: NewShare = entry.what
    meant = (ask.partner, ask.provider, _named(tx, ask.deployment))
    found = [one for one in rate_rows.list_shares(tx) if (one.partner, one.provider, one.deployment) == meant]
    share = next((one for one in found if starts(ask).get("from_ms") in {None, one.from_ms}), None)
    if share is None:
        return None
    same = {"partner": ask.partner, "provider": ask.provider, "deployment": ask.deployment}
    return same | {"part": str(share.part), "from_ms": share.from_ms}


def starts(ask: Begins) -> Fields:
    """Give the declared beginning; nothing where none is."""
    if ask.from_day is not None:
        return {"from_ms": day_named(ask.from_day, "from_day")}
    return {} if ask.from_ms is None else {"from_ms": ask.from_ms}


def _who(ask: NewRate) -> Fields:
    return {"provider": ask.provider, "customer": ask.customer}


def _named(tx: Tx, deployment: str) -> str:
    names = {row.id: row.name for row in list_deployments(tx)}
    return names.get(list_aliases(tx).get(deployment, ""), deployment)


def _fields(rate: Rate) -> Fields:
    same: Fields = {"currency": rate.currency, "per": rate.per, "prepaid": rate.prepaid, "from_ms": rate.from_ms}
    return same | {"units": _spelled(rate.units)}


def _spelled(units: Any) -> dict[str, list[list[int]]]:
    steps: dict[str, Sequence[tuple[int, int]]] = dict(units)
    return {unit: [[above, nanos] for above, nanos in some] for unit, some in sorted(steps.items())}
