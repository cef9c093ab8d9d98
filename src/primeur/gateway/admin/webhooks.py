"""Deliveries of webhooks: how they are doing, tried again, and the secret that a receiver checks them with."""

import msgspec

from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance import webhook_rows as rows
from primeur.governance.webhook_rules import webhook_secret
from primeur.walks.send_webhook import check_webhook_url, retry_webhook

_MOST = 500


class DeliveryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries, newest first."""

    state: str = ""
    before: str = ""
    limit: int = 50


class SecretQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose secret."""

    url: str


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one URL; see docs/walks/send_webhook.md."""

    id: str
    url: str
    kind: str
    state: str
    attempts: int
    status: int | None
    fault: str | None
    next_ms: int
    created_ms: int
    ended_ms: int | None


class SecretView(msgspec.Struct, frozen=True):
    """What a receiver checks deliveries with."""

    url: str
    secret: str


def _show(one: rows.Delivery) -> DeliveryView:
    return DeliveryView(**{name: getattr(one, name) for name in DeliveryView.__struct_fields__})


async def list_deliveries(visit: Visit) -> Answer:
    """``GET /api/v1/webhooks/deliveries``."""
    query = asked(visit, DeliveryQuery)
    most = max(1, min(query.limit, _MOST))
    found = await visit.house.store.read(
        lambda tx: rows.list_deliveries(tx, query.state or None, query.before or None, most + 1)
    )
    more = found[most - 1].id if len(found) > most else None
    return json_answer(Page([_show(one) for one in found[:most]], more))


async def post_retry(visit: Visit) -> Answer:
    """``POST /api/v1/webhooks/deliveries/{delivery}/retry``."""
    return json_answer(_show(await retry_webhook(visit.house, visit.caller, visit.params["delivery"])))


async def get_secret(visit: Visit) -> Answer:
    """``GET /api/v1/webhooks/secret``."""
    url = asked(visit, SecretQuery).url
    check_webhook_url(visit.house, url)
    return json_answer(SecretView(url, webhook_secret(visit.house.place.pepper, url)))


_DELIVERIES = "/api/v1/webhooks/deliveries"
DOORS = (
    Door("GET", _DELIVERIES, list_deliveries, "List deliveries of webhooks", "webhooks:read", face="admin",
         takes=DeliveryQuery, gives=Page[DeliveryView]),
    Door("POST", _DELIVERIES + "/{delivery}/retry", post_retry, "Try a delivery again now", "webhooks:write",
         tells="WebhookRetried", face="admin", gives=DeliveryView),
    Door("GET", "/api/v1/webhooks/secret", get_secret, "Show what a receiver checks deliveries with", "webhooks:write",
         face="admin", takes=SecretQuery, gives=SecretView),
)  # fmt: skip
