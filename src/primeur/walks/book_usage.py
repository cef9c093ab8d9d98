"""Book usage: rows of requests, their transactions in the ledger, and how far the journal was read, all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from primeur.core.usage import UsageEvent
from primeur.governance.rows import list_projects
from primeur.ledger import rows as ledger
from primeur.ledger.rules.entries import Entry
from primeur.ledger.rules.usage import Way, partner_share, purchase, sale, usage_entry
from primeur.metering import rows
from primeur.metering.rate_rows import list_rates, list_shares
from primeur.metering.rates import Rate, Share, Tariff, choose_rate, choose_share
from primeur.store.database import Tx, last_sequence

# From and until when it holds, the rate of selling, both tariffs, and the accounts.
_Found = tuple[int, int, Rate | None, Tariff | None, Tariff | None, Way]


@dataclass
class Terms:
    """At which rates and shares requests are booked.

    Attributes:
        organisations: by project.
        newest: the event that was the newest when they were read.
    """

    rates: Sequence[Rate] = ()
    shares: Sequence[Share] = ()
    organisations: Mapping[str, str] = field(default_factory=dict)
    newest: int = -1

    def __post_init__(self) -> None:
        """Sort the sides apart, and know the moments at which terms change."""
        self._sell = [one for one in self.rates if one.side == "sell"]
        self._buy = [one for one in self.rates if one.side == "buy"]
        self._moments = sorted({*(one.from_ms for one in self.rates), *(one.from_ms for one in self.shares)})
        self._ways: dict[tuple[str, str, str, str | None], _Found] = {}

    def rate(self, event: UsageEvent) -> tuple[UsageEvent, Entry | None]:
        """Give the event at its negotiated price, if it has one, and the transaction it books."""
        if not event.usage.total_tokens:
            # Nothing was made, so nothing is owed by anybody.
            return event, None
        key = (event.project_id, event.deployment, event.provider, event.currency)
        found = self._ways.get(key)
        if found is None or not found[0] <= event.at_ms < found[1]:
            found = self._ways[key] = self._way(event)
        _, _, sell, sold, bought, way = found
        if sell is not None and sold is not None:
            event = replace(event, cost_nanos=sold.cost(event), currency=sell.currency, price_id=sell.id)
        cost = 0 if bought is None else bought.cost(event)
        return event, usage_entry(event.id, event.at_ms, way, event.cost_nanos or 0, cost)

    def _way(self, event: UsageEvent) -> _Found:
        at_ms = event.at_ms
        since = max((one for one in self._moments if one <= at_ms), default=-(1 << 62))
        until = min((one for one in self._moments if one > at_ms), default=1 << 62)
        parties = (event.project_id, self.organisations.get(event.project_id, event.project_id), "")
        sell = choose_rate(self._sell, parties, event.deployment, at_ms)
        buy = choose_rate(self._buy, (event.provider,), event.deployment, at_ms) if event.provider else None
        share = choose_share(self.shares, event.provider, event.deployment, at_ms)
        currency = event.currency if sell is None else sell.currency
        prepaid = sell is not None and sell.prepaid
        way = Way(
            None if currency is None else sale(event.project_id, event.deployment, currency, prepaid=prepaid),
            None if buy is None else purchase(event.provider, buy.currency, prepaid=buy.prepaid),
            None if share is None or currency is None else partner_share(share.partner, currency),
            share.part if share is not None else Way(None).part,
        )
        sold, bought = (None if one is None else Tariff(one) for one in (sell, buy))
        return since, until, sell, sold, bought, way


def read_terms(tx: Tx, known: Terms | None = None) -> Terms:
    """Read the terms in force; *known* when nothing has changed. Whatever changes them tells an event."""
    newest = last_sequence(tx)
    if known is not None and known.newest == newest:
        return known
    found = list_rates(tx), list_shares(tx), {one.id: one.organisation_id for one in list_projects(tx)}
    if known is not None and found == (known.rates, known.shares, known.organisations):
        known.newest = newest
        return known
    return Terms(*found, newest)


def book_usage(tx: Tx, events: Sequence[UsageEvent], terms: Terms, cursor: rows.Cursor | None = None) -> int:
    """Book usage events, each once, in one transaction with the cursor behind them; gives how many were new."""
    ledger.alone(tx)
    rate = terms.rate
    rated = [rate(event) for event in {event.id: event for event in events}.values()]
    told = [event for event, _ in rated]
    new = rows.keep_usage(tx, told, cursor)
    if len(new) < len(told):
        known = {event.id for event in new}
        rated = [each for each in rated if each[0].id in known]
    ledger.append(tx, [entry for _, entry in rated if entry is not None])
    return len(new)
