"""Tell when a budget's soft or hard limit is reached, once in each period: by webhook and by mail."""

import asyncio
from contextlib import suppress
from typing import Any

from primeur.billing import alert_rows as rows
from primeur.billing.rules.alerts import Alert, BudgetStanding, reached
from primeur.core.events import BudgetReached
from primeur.core.ids import make_id
from primeur.core.money import amount_of
from primeur.core.periods import span_of
from primeur.governance.budget_rows import BudgetRow, list_budgets
from primeur.metering.used_rows import spent_since
from primeur.store.database import Tx, tell
from primeur.walks.house import House
from primeur.walks.send_webhook import write_webhook
from primeur.walks.set_budget import name_of

EVENT = "budget.reached"
_PERIOD_S = 10.0
_ACTOR = "house"

_SUBJECTS = {
    "en": "{name} has spent {spent} {currency}: {threshold} limit {limit} {currency} reached",
    "fr": "{name} a dépensé {spent} {currency} : limite {threshold} de {limit} {currency} atteinte",
}
_THRESHOLDS = {"en": {"soft": "soft", "hard": "hard"}, "fr": {"soft": "souple", "hard": "ferme"}}
_BODIES = {
    "en": "{subject}.\n\nBudget {budget_id}, for {scope}. Above the hard limit, requests are refused.\n",
    "fr": "{subject}.\n\nBudget {budget_id}, pour {scope}. Au-delà de la limite ferme, les requêtes sont refusées.\n",
}


async def alert_budgets(house: House, stop: asyncio.Event) -> None:
    """Look every ten seconds until *stop*."""
    while not stop.is_set():
        await alert_once(house)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PERIOD_S)


async def alert_once(house: House) -> int:
    """Tell of every threshold that was reached and not told of yet; gives how many."""
    if not await house.store.read(lambda tx: _new(tx, house.clock.now_ms())):
        return 0

    def work(tx: Tx) -> int:
        alerts = _new(tx, house.clock.now_ms())
        for alert in alerts:
            _tell(tx, house, alert)
        return len(alerts)

    return await house.store.transact(work)


def _new(tx: Tx, now_ms: int) -> list[Alert]:
    budgets = list_budgets(tx)
    told = rows.told(tx, [row.budget.id for row in budgets])
    found: list[Alert] = []
    for row in budgets:
        start_ms = span_of(row.budget.period, now_ms)[0]
        if (row.budget.id, "hard", start_ms) not in told:
            found += reached(_standing(tx, row, start_ms), told)
    return found


def _standing(tx: Tx, row: BudgetRow, start_ms: int) -> BudgetStanding:
    budget = row.budget
    return BudgetStanding(
        id=budget.id,
        scope=f"{row.scope}:{row.scope_id}",
        name=f"{row.scope} {name_of(tx, row)}",
        currency=budget.currency,
        period_ms=start_ms,
        spent_nanos=spent_since(tx, row.scope, row.scope_id, budget.currency, start_ms),
        soft_nanos=row.soft_nanos,
        hard_nanos=budget.limit_nanos,
    )


def _tell(tx: Tx, house: House, alert: Alert) -> None:
    now_ms, one = house.clock.now_ms(), alert.budget
    rows.keep_alert(tx, alert, now_ms)
    what = BudgetReached(one.id, one.scope, alert.threshold, one.currency, one.spent_nanos)
    tell(tx, what, actor=_ACTOR, at_ms=now_ms)
    for target in rows.list_targets(tx):
        if target.kind == rows.WEBHOOK:
            write_webhook(tx, house, target.address, EVENT, _body(alert))
        else:
            rows.add_mail(tx, _mail(house, alert, target))


def _body(alert: Alert) -> dict[str, Any]:
    one = alert.budget
    return {
        "budget_id": one.id,
        "scope": one.scope,
        "name": one.name,
        "threshold": alert.threshold,
        "currency": one.currency,
        "limit": amount_of(alert.limit_nanos),
        "spent": amount_of(one.spent_nanos),
        "period_ms": one.period_ms,
    }


def _mail(house: House, alert: Alert, target: rows.AlertTarget) -> rows.MailRow:
    now_ms, language = house.clock.now_ms(), target.language
    said = _body(alert) | {"threshold": _THRESHOLDS[language][alert.threshold]}
    subject = _SUBJECTS[language].format(**said)
    body = _BODIES[language].format(subject=subject, **said)
    made = make_id("mail", now_ms, house.entropy)
    return rows.MailRow(made, target.address, subject, body, rows.PENDING, 0, now_ms, now_ms)
