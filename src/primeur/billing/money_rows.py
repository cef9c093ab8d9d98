"""What requests earned, cost and shared by day, summed up from the ledger's legs; never more than it says."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, case, func, insert, literal, select, update
from sqlalchemy.types import BigInteger

from primeur.billing.rules.periods import DAY_MS, Span
from primeur.store.database import Tx
from primeur.store.schema import (
    accounts,
    legs,
    models,
    money_cursors,
    money_days,
    requests,
    revisions,
    transactions,
    versions,
)
from primeur.store.upsert import insert_or

Side = Literal["sold", "bought", "ahead", "shared", "other"]
_CURSOR = "requests"
# Half a second of SQLite on a slow core: whoever else writes waits no longer.
_STEP = 10_000
_KEYS = ("day_ms", "side", "account", "project_id", "deployment", "provider", "model", "currency")


@dataclass(frozen=True, slots=True)
class MoneySum:
    """What one group of requests came to on one UTC day.

    Attributes:
        side: ``sold``: revenue; ``bought``: what its capacity cost, ``ahead``: the part of it that was taken from what
            was paid ahead; ``shared``: what a partner gets of the revenue; ``other``: income (or, negative, expense)
            that is booked elsewhere, such as plans' fees.
        account: the account of a partner's share, or of what is booked elsewhere; empty for the rest.
    """

    day_ms: int
    side: Side
    account: str
    project_id: str
    deployment: str
    provider: str
    model: str
    currency: str
    requests: int
    nanos: int


def sum_on(tx: Tx) -> bool:
    """Sum up the next transactions of the ledger; gives whether there are more."""
    found = tx.execute(select(money_cursors.c.number).where(money_cursors.c.name == _CURSOR)).scalar()
    after = int(found or 0)
    head = int(tx.execute(select(func.coalesce(func.max(transactions.c.number), 0))).scalar_one())
    until = min(head, after + _STEP)
    if until == after:
        return False
    for found_sums in (_legs_between(after, until), _others_between(after, until)):
        _add(tx, found_sums)
    if found is None:
        tx.execute(insert(money_cursors).values(name=_CURSOR, number=until))
    else:
        tx.execute(update(money_cursors).where(money_cursors.c.name == _CURSOR).values(number=until))
    return until < head


def _add(tx: Tx, found: Select[Any]) -> None:
    adding = insert_or(tx.dialect.name, money_days).from_select([*_KEYS, "requests", "nanos"], found)
    new = adding.excluded
    summed = {name: money_days.c[name] + new[name] for name in ("requests", "nanos")}
    tx.execute(adding.on_conflict_do_update(index_elements=list(_KEYS), set_=summed))


def list_money(tx: Tx, span: Span, side: Side | None = None, provider: str | None = None) -> list[MoneySum]:
    """Give sums of days in *span*, in the order of their days."""
    c = money_days.c
    query = (
        select(money_days).where(c.day_ms >= span.from_ms, c.day_ms < span.to_ms).order_by(*(c[name] for name in _KEYS))
    )
    if side is not None:
        query = query.where(c.side == side)
    if provider is not None:
        query = query.where(c.provider == provider)
    return [MoneySum(**row._mapping) for row in tx.execute(query)]  # noqa: SLF001


def _legs_between(after: int, until: int) -> Select[Any]:
    t, r, a = transactions.c, requests.c, accounts.c
    # A request that was rated anew is named by the text of its new transaction, one taken back by what it reverses.
    named = case((t.kind == "reversal", t.reverses), (t.text != "", t.text), else_=t.key)
    side = case(
        (a.name.startswith("Income:Inference:"), "sold"), (a.name.startswith("Expenses:Capacity:"), "bought"),
        (a.name.startswith("Assets:Prepaid:"), "ahead"), else_="shared",
    )  # fmt: skip
    account = case((a.name.startswith("Expenses:Revenue-share:"), a.name), else_="")
    model = func.coalesce(models.c.name, revisions.c.upstream_model, r.deployment)
    day = r.at_ms - r.at_ms % literal(DAY_MS, BigInteger)
    sign = case((a.name.startswith("Expenses:"), 1), else_=-1)
    group = [day, side, account, r.project_id, r.deployment, r.provider, model, a.currency]
    joined = (
        transactions.join(requests, r.id == named)
        .join(legs, legs.c.number == t.number)
        .join(accounts, a.id == legs.c.account_id)
        .outerjoin(revisions, revisions.c.id == r.revision_id)
        .outerjoin(versions, versions.c.id == revisions.c.version_id)
        .outerjoin(models, models.c.id == versions.c.model_id)
    )
    chosen = (
        a.name.startswith("Income:Inference:")
        | a.name.startswith("Expenses:Capacity:")
        | a.name.startswith("Assets:Prepaid:")
        | a.name.startswith("Expenses:Revenue-share:")
    )
    sums = (func.sum(case((t.kind == "reversal", -1), else_=1)), func.sum(sign * legs.c.amount))
    return (
        select(*group, *sums)
        .select_from(joined)
        .where(t.number > after, t.number <= until, t.kind.in_(("usage", "reversal")), chosen)
        .group_by(*group)
    )


def _others_between(after: int, until: int) -> Select[Any]:
    """Income and expenses of everything but requests, by the day on which it was booked."""
    t, a = transactions.c, accounts.c
    day = t.at_ms - t.at_ms % literal(DAY_MS, BigInteger)
    nothing = literal("")
    group = [day, literal("other"), a.name, nothing, nothing, nothing, nothing, a.currency]
    joined = (
        transactions.join(legs, legs.c.number == t.number)
        .join(accounts, a.id == legs.c.account_id)
        .outerjoin(requests, requests.c.id == t.reverses)
    )
    chosen = (a.name.startswith("Income:") | a.name.startswith("Expenses:")) & (a.book == "requests")
    return (
        select(*group, func.count(), func.sum(-legs.c.amount))
        .select_from(joined)
        .where(t.number > after, t.number <= until, t.kind != "usage", requests.c.id.is_(None), chosen)
        .group_by(day, a.name, a.currency)
    )
