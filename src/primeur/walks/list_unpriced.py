"""List what has no price: deployments that are sold and capacity that is bought, with what of it was used."""

from collections.abc import Iterator

import msgspec

from primeur.core.caller import Caller
from primeur.metering import rate_rows
from primeur.metering.rates import choose_rate
from primeur.metering.rows import prices_in_force
from primeur.metering.unpriced_rows import UsedSum, sum_served
from primeur.registry.deployment_rows import list_deployments, list_revisions
from primeur.registry.rows import list_providers
from primeur.store.database import Tx
from primeur.walks.house import House


class Unpriced(msgspec.Struct, frozen=True, kw_only=True):
    """One price that is not known.

    Attributes:
        side: ``sell``: what the deployment's callers pay; ``buy``: what it costs at *provider*.
        now: nobody knows it now either; false: only requests of before it was set are without.
        requests, tokens: used in the time asked about without a price.
        cost: always ``unknown``.
        last_ms: when the last of them came; null where nothing was used.
    """

    side: str
    deployment: str
    provider: str
    now: bool
    requests: int
    tokens: int
    cost: str
    last_ms: int | None


async def list_unpriced(house: House, caller: Caller, *, from_ms: int, to_ms: int) -> list[Unpriced]:
    """Give every price that is missing now, or was when something was used."""
    now_ms, mine = house.clock.now_ms(), caller.deployments

    def read(tx: Tx) -> list[Unpriced]:
        used = sum_served(tx, from_ms=from_ms, to_ms=to_ms)
        found = [*_unsold(tx, used, now_ms), *_unbought(tx, used, now_ms)]
        return [one for one in found if mine is None or one.deployment in mine]

    return await house.store.read(read)


def _unsold(tx: Tx, used: list[UsedSum], now_ms: int) -> Iterator[Unpriced]:
    listed = prices_in_force(tx, now_ms).keys()
    rates = [one for one in rate_rows.list_rates(tx) if one.side == "sell"]
    there = {row.name for row in list_deployments(tx)}
    for name in sorted(there | {one.deployment for one in used}):
        mine = [one for one in used if one.deployment == name]
        now = name in there and name not in listed and choose_rate(rates, ("",), name, now_ms) is None
        count = sum(one.unsold for one in mine)
        if now or count:
            last = max((one.last_ms for one in mine if one.unsold), default=None)
            yield _told("sell", name, "", now=now, used=(count, sum(one.unsold_tokens for one in mine), last))


def _unbought(tx: Tx, used: list[UsedSum], now_ms: int) -> Iterator[Unpriced]:
    rates = [one for one in rate_rows.list_rates(tx) if one.side == "buy"]
    served = {(one.deployment, one.provider): one for one in used if one.provider}
    for name, provider in sorted({*_offered(tx), *served}):
        if choose_rate(rates, (provider,), name, now_ms) is None:
            one = served.get((name, provider))
            sums = (one.requests, one.tokens, one.last_ms) if one else (0, 0, None)
            yield _told("buy", name, provider, now=True, used=sums)


def _offered(tx: Tx) -> set[tuple[str, str]]:
    """Who serves each deployment now."""
    names = {row.id: row.name for row in list_deployments(tx)}
    providers = {one.id: one.name for one in list_providers(tx)}
    return {
        (names[one.deployment_id], one.engine or providers.get(one.provider_id or "", ""))
        for one in list_revisions(tx)
        if one.deployment_id in names and one.share
    }


def _told(side: str, name: str, provider: str, *, now: bool, used: tuple[int, int, int | None]) -> Unpriced:
    count, tokens, last_ms = used
    return Unpriced(
        side=side, deployment=name, provider=provider, now=now, requests=count, tokens=tokens, cost="unknown",
        last_ms=last_ms,
    )  # fmt: skip
