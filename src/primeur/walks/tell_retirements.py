"""Tell everybody that a version ends: 90, 30, 14, 7 days and one day before, and on the day; by webhook and by mail."""

from dataclasses import dataclass
from typing import Any

from primeur.billing import alert_rows
from primeur.core.events import RetirementNear
from primeur.core.ids import make_id
from primeur.registry import deployment_rows, rows, terms_rows
from primeur.registry.facts import day_of
from primeur.registry.upgrades import NEVER, notice_due
from primeur.store.database import Tx, tell
from primeur.walks.house import House
from primeur.walks.send_webhook import write_webhook

EVENT = "version.retirement"
_ACTOR = "house"
_SUBJECTS = {
    "en": "Version {number} of {model} ends on {day}",
    "fr": "La version {number} de {model} prend fin le {day}",
}
_BODIES = {
    "en": "{subject}.\n\nDeployments that run it: {named}.\nThose that are not upgraded by then refuse requests.\n",
    "fr": "{subject}.\n\nDéploiements concernés : {named}.\nSans mise à niveau, ils refuseront les requêtes.\n",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A version that ends, in how many days, and what becomes of the deployments that run it."""

    model: str
    version: rows.Version
    days: int
    deployments: dict[str, str]


async def tell_retirements(house: House) -> int:
    """Tell everything that is due and was not told yet; gives how many notices that were."""
    now_ms = house.clock.now_ms()
    if not await house.store.read(lambda tx: find_notices(tx, now_ms)):
        return 0

    def work(tx: Tx) -> int:
        notices = find_notices(tx, house.clock.now_ms())
        for notice in notices:
            _tell(tx, house, notice)
        return len(notices)

    return await house.store.transact(work)


def find_notices(tx: Tx, now_ms: int) -> list[Notice]:
    """Give the notices that are due."""
    models = {one.id: one.name for one in rows.list_models(tx)}
    found = []
    for version in rows.list_versions(tx):
        if version.retires_ms is None:
            continue
        days = notice_due(version.retires_ms, version.noticed_days, now_ms)
        if days is not None:
            found.append(Notice(models[version.model_id], version, days, _running(tx, version)))
    return found


def _running(tx: Tx, version: rows.Version) -> dict[str, str]:
    """Deployments that answer with a version, and their policies."""
    names = {one.id: one.name for one in deployment_rows.list_deployments(tx)}
    terms = terms_rows.list_terms(tx)
    live = [one for one in deployment_rows.list_revisions(tx) if one.version_id == version.id and one.share > 0]
    return {names[one.deployment_id]: terms.get(one.deployment_id, terms_rows.ORDINARY).upgrade for one in live}


def _tell(tx: Tx, house: House, notice: Notice) -> None:
    now_ms, version = house.clock.now_ms(), notice.version
    rows.change_version(tx, version, {"noticed_days": notice.days})
    ends_ms = version.retires_ms or 0
    what = RetirementNear(notice.model, version.number, notice.days, ends_ms, notice.deployments)
    tell(tx, what, actor=_ACTOR, at_ms=now_ms)
    for target in alert_rows.list_targets(tx):
        if target.kind == alert_rows.WEBHOOK:
            write_webhook(tx, house, target.address, EVENT, _body(notice))
        else:
            alert_rows.add_mail(tx, _mail(house, notice, target))


def _body(notice: Notice) -> dict[str, Any]:
    version = notice.version
    return {
        "model": notice.model,
        "number": version.number,
        "version_id": version.id,
        "days": notice.days,
        "retires_ms": version.retires_ms,
        "day": day_of(version.retires_ms or 0),
        "deployments": [{"name": name, "upgrade": policy} for name, policy in sorted(notice.deployments.items())],
    }


def _mail(house: House, notice: Notice, target: alert_rows.AlertTarget) -> alert_rows.MailRow:
    now_ms, language = house.clock.now_ms(), target.language
    stays = [f"{name} ({policy})" if policy == NEVER else name for name, policy in sorted(notice.deployments.items())]
    said = _body(notice) | {"named": ", ".join(stays) or "-"}
    subject = _SUBJECTS[language].format(**said)
    body = _BODIES[language].format(subject=subject, **said)
    made = make_id("mail", now_ms, house.entropy)
    return alert_rows.MailRow(made, target.address, subject, body, alert_rows.PENDING, 0, now_ms, now_ms)
