"""Budget alerts, who is told of them, and the mails that do, as the database keeps them."""

from collections.abc import Collection
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select, update

from primeur.billing.rules.alerts import Alert
from primeur.core.errors import NotFound
from primeur.store.database import Tx
from primeur.store.schema import alert_targets, budget_alerts, mails

EMAIL = "email"
WEBHOOK = "webhook"
PENDING, SENT, ABANDONED = "pending", "sent", "abandoned"


@dataclass(frozen=True, slots=True)
class AlertTarget:
    """Who is told when budgets are reached.

    Attributes:
        address: an e-mail address or a URL, by *kind*.
        language: of a mail.
    """

    id: str
    kind: str
    address: str
    language: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail that is to be sent; *next_ms* is when it is tried next."""

    id: str
    recipient: str
    subject: str
    body: str
    state: str
    attempts: int
    next_ms: int
    created_ms: int
    fault: str | None = None


def keep_alert(tx: Tx, alert: Alert, now_ms: int) -> None:
    """Note that a threshold was told of; the same again is refused by the database."""
    one = alert.budget
    tx.execute(
        insert(budget_alerts).values(
            budget_id=one.id, threshold=alert.threshold, period_ms=one.period_ms, scope=one.scope, name=one.name,
            currency=one.currency, limit_nanos=alert.limit_nanos, spent_nanos=one.spent_nanos, created_ms=now_ms,
        )
    )  # fmt: skip


def told(tx: Tx, budget_ids: Collection[str]) -> set[tuple[str, str, int]]:
    """Give what was told of budgets: id, threshold and period."""
    c = budget_alerts.c
    query = select(c.budget_id, c.threshold, c.period_ms).where(c.budget_id.in_(sorted(budget_ids)))
    return {(str(name), str(threshold), int(period_ms)) for name, threshold, period_ms in tx.execute(query)}


def add_target(tx: Tx, target: AlertTarget) -> None:
    """Keep somebody to be told."""
    tx.execute(insert(alert_targets).values(**asdict(target)))


def list_targets(tx: Tx) -> list[AlertTarget]:
    """Give everybody who is told, oldest first."""
    query = select(alert_targets).order_by(alert_targets.c.created_ms, alert_targets.c.id)
    return [AlertTarget(**row._mapping) for row in tx.execute(query)]  # noqa: SLF001


def remove_target(tx: Tx, target_id: str) -> AlertTarget:
    """Tell somebody no more.

    Raises:
        NotFound: there is nobody of that id.
    """
    found = next((one for one in list_targets(tx) if one.id == target_id), None)
    if found is None:
        raise NotFound(f"there is no alert target {target_id!r}; `primeur alerts list` shows those there are")
    tx.execute(delete(alert_targets).where(alert_targets.c.id == target_id))
    return found


def add_mail(tx: Tx, mail: MailRow) -> None:
    """Keep a mail to be sent."""
    tx.execute(insert(mails).values(**asdict(mail)))


def due_mails(tx: Tx, now_ms: int, most: int) -> list[MailRow]:
    """Give mails whose time has come, oldest first."""
    c = mails.c
    query = select(mails).where(c.state == PENDING, c.next_ms <= now_ms).order_by(c.next_ms, c.id).limit(most)
    return [MailRow(**row._mapping) for row in tx.execute(query)]  # noqa: SLF001


def note_mail(tx: Tx, mail: MailRow, state: str, next_ms: int, fault: str | None) -> None:
    """Note how an attempt went."""
    change = update(mails).where(mails.c.id == mail.id, mails.c.attempts == mail.attempts)
    tx.execute(change.values(state=state, attempts=mail.attempts + 1, next_ms=next_ms, fault=fault))
