"""Share out a period's recorded profit by tiers, and post it; a trial run and the real run are the same code."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec

from primeur.billing.money_rows import MoneySum, list_money
from primeur.billing.rules.invoicing import check_next, to_cents
from primeur.billing.rules.periods import Span, month_named
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import ProfitDistributed, ProfitPaid, TiersSet
from primeur.core.ids import make_id
from primeur.ledger import distribution_rows as rows
from primeur.ledger import rows as ledger
from primeur.ledger.distribution_rows import DISTRIBUTION, POSTED, Distribution, WaterfallRow
from primeur.ledger.rules.entries import SETTLEMENTS, Account, Entry, account_name, settlement
from primeur.ledger.rules.tiers import read_cents, read_tiers
from primeur.ledger.rules.waterfall import pay_next
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.sum_money import sum_up

BASES: Mapping[str, tuple[str, ...]] = {
    "profit": ("sold", "bought", "shared", "other"),
    "margin": ("sold", "bought", "shared"),
    "revenue": ("sold",),
}
"""What a base counts of the books: revenue, less capacity and partners' shares, and everything booked elsewhere."""

_COSTS = {"bought", "shared"}
_NANOS_PER_CENT = 10_000_000
_MOST = 1 << 62
_KEPT = "Equity:Profit"


class DistributionRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to share out.

    Attributes:
        period: a month that is over, such as ``2026-11``; a trial run may take one that runs.
        amount: decimals in text, of profits that are kept elsewhere; what the books say when not given.
    """

    period: Annotated[str, msgspec.Meta(max_length=8)]
    amount: Annotated[str, msgspec.Meta(max_length=30)] | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Distributed:
    """A distribution, and whether this run made it."""

    distribution: Distribution
    fresh: bool


class _Tried(Exception):
    def __init__(self, found: Distribution) -> None:
        super().__init__()
        self.found = found


async def set_tiers(house: House, caller: Caller, name: str, document: Mapping[str, Any]) -> WaterfallRow:
    """Keep tiers under a name; what was paid by earlier ones stays paid.

    Raises:
        BadRequest: says where the document is wrong, or that its currency would change.
    """
    said, _ = read_tiers(name, document)

    def work(tx: Tx) -> WaterfallRow:
        now_ms = house.clock.now_ms()
        for one in rows.list_distributions(tx, name)[:1]:
            if one.currency != said.currency:
                raise BadRequest(f"{name!r} has paid in {one.currency} and cannot go on in {said.currency}")
        row = WaterfallRow(make_id("distribution", now_ms, house.entropy), name, document, now_ms)
        rows.add_waterfall(tx, row)
        tell(tx, TiersSet(row.id, name), actor=actor_of(caller), at_ms=now_ms, after=document)
        return row

    return await house.store.transact(work)


async def run_distribution(house: House, caller: Caller, name: str, ask: DistributionRun) -> Distributed:
    """Share out a period; one that was shared out already is left as it is.

    Raises:
        BadRequest: no month, or an amount that is none.
        Conflict: the month runs still, or a later one was shared out.
        NotFound: there are no tiers of that name.
    """
    month = month_named(ask.period)
    await sum_up(house)

    def work(tx: Tx) -> Distributed:
        found = rows.list_distributions(tx, name)
        for one in found:
            if one.period == ask.period:
                return Distributed(one, fresh=False)
        if not ask.dry_run:
            check_next(month, month_named(found[0].period) if found else None, house.clock.now_ms())
        made = _share_out(tx, house, (rows.find_waterfall(tx, name), month), ask, found)
        if ask.dry_run:
            raise _Tried(replace(made, id=""))
        rows.add_distribution(tx, made)
        _post(tx, made)
        what = ProfitDistributed(made.id, name, made.period, made.currency, made.distributed_cents)
        tell(tx, what, actor=actor_of(caller), at_ms=made.created_ms)
        return Distributed(made, fresh=True)

    try:
        return await house.store.transact(work)
    except _Tried as tried:
        return Distributed(tried.found, fresh=True)


async def pay_distribution(house: House, caller: Caller, name: str, period: str) -> Distribution:
    """Note that the parties have been paid.

    Raises:
        Conflict: they have been already.
        NotFound: the period was not shared out.
    """

    def work(tx: Tx) -> Distribution:
        before, now_ms = rows.find_distribution(tx, name, period), house.clock.now_ms()
        after = rows.move_distribution(tx, before, DISTRIBUTION.after(before.state, "pay"), now_ms)
        legs = [
            (Account(_owed_to(party), after.currency, SETTLEMENTS), cents)
            for party, cents in after.paid.items()
            if cents
        ]
        if legs:
            legs.append((Account("Assets:Bank", after.currency, SETTLEMENTS), -after.distributed_cents))
            ledger.post(tx, Entry(f"payment:{after.id}", "payment", now_ms, tuple(legs), f"{name} {period}"))
        what = ProfitPaid(after.id, name, period)
        tell(tx, what, actor=actor_of(caller), at_ms=now_ms)
        return after

    return await house.store.transact(work)


def _share_out(
    tx: Tx, house: House, what: tuple[WaterfallRow, Span], ask: DistributionRun, found: list[Distribution]
) -> Distribution:
    row, month = what
    said, waterfall = read_tiers(row.name, row.document)
    nanos = _recorded(tx, said.base, said.currency, month, found) if ask.amount is None else _given(ask.amount)
    cents = to_cents(nanos, "EUR")[0]
    payment, standing = pay_next(waterfall, rows.standing_of(found), ask.period, cents)
    if max(abs(standing.total), standing.mark) >= _MOST:
        raise BadRequest(f"{row.name!r} would come to more than the ledger can hold")
    now_ms = house.clock.now_ms()
    return Distribution(
        id=make_id("distribution", now_ms, house.entropy), name=row.name, period=ask.period, waterfall_id=row.id,
        state=POSTED, currency=said.currency, profit_nanos=nanos, profit_cents=cents,
        distributed_cents=payment.distributed, total_cents=standing.total, mark_cents=standing.mark,
        cumulative_cents=standing.cumulative, paid=dict(payment.paid), created_ms=now_ms,
    )  # fmt: skip


def _recorded(tx: Tx, base: str, currency: str, month: Span, found: list[Distribution]) -> int:
    """What the books say up to the month's end and no distribution has taken up; late events are in it."""
    sides = BASES.get(base)
    if sides is None:
        raise BadRequest(f"the books have no {base!r}; they have {', '.join(BASES)}, or give an amount", param="amount")
    until = sum(
        _signed(one) for one in list_money(tx, Span(0, month.to_ms)) if one.side in sides and one.currency == currency
    )
    return until - sum(one.profit_nanos for one in found)


def _signed(one: MoneySum) -> int:
    return -one.nanos if one.side in _COSTS else one.nanos


def _given(amount: str) -> int:
    return read_cents("amount", amount) * _NANOS_PER_CENT


def _post(tx: Tx, made: Distribution) -> None:
    """Post a distribution: the profit becomes cents, its remainder is posted, and the parties are owed their parts."""
    legs = list(settlement(_KEPT, made.currency, -made.profit_nanos, -made.profit_cents))
    legs.append((Account(_KEPT, made.currency, SETTLEMENTS), made.distributed_cents))
    legs += [(Account(_owed_to(party), made.currency, SETTLEMENTS), -cents) for party, cents in made.paid.items()]
    legs = [(account, amount) for account, amount in legs if amount]
    if legs:
        key = f"distribution:{made.id}"
        ledger.post(tx, Entry(key, "distribution", made.created_ms, tuple(legs), f"{made.name} {made.period}"))


def _owed_to(party: str) -> str:
    return account_name("Liabilities", "distributions", party)
