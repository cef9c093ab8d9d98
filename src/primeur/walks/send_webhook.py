"""Webhooks: kept in the transaction of what they tell of, then delivered, signed, until taken or abandoned.

``write_webhook`` in a transaction (or ``send_webhook`` without one) only keeps; the worker's story
``deliver_webhooks`` sends. A receiver may get a delivery twice, with the same ``webhook-id``, and none is lost.
"""

import asyncio
from contextlib import suppress
from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.egress import check_place, read_url
from primeur.core.errors import BadRequest, Conflict, EgressRefused, PrimeurError
from primeur.core.events import WebhookAbandoned, WebhookRetried
from primeur.core.ids import make_id
from primeur.governance import webhook_rows as rows
from primeur.governance import webhook_rules as rules
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House

TIMEOUT_S = 15.0
_ANSWER_BYTES = 64 << 10
_BODY_LIMIT = 256 << 10
_LEASE_MS = 60_000
_AT_ONCE = 16
_PAUSE_S = 1.0
_FORGET_AT_ONCE = 500
_KEPT_MS = 30 * 86_400_000
_ACTOR = "house"


def check_webhook_url(house: House, url: str) -> None:
    """Refuse a URL that can never be reached, when it is set and not when it is needed.

    Raises:
        BadRequest: no URL, or one that may not be reached; says which line of the allow-list is missing.
    """
    place = read_url(url)
    try:
        check_place(house.place.egress, place)
    except EgressRefused as refused:
        raise BadRequest(refused.message, param="url", code=refused.code) from None


def write_webhook(  # noqa: PLR0913 (all that a delivery is made of)
    tx: Tx, house: House, url: str, event_kind: str, body: dict[str, Any], *, project_id: str | None = None
) -> str:
    """Keep a delivery in a transaction that is open; gives its id.

    Args:
        event_kind: such as ``invoice.issued``.
        body: what is told; sent as ``{"type": event_kind, "timestamp": ..., "data": body}``.

    Raises:
        BadRequest: the URL is none, or *body* is larger than 256 KiB as JSON.
    """
    read_url(url)
    now_ms = house.clock.now_ms()
    text = msgspec.json.encode({"type": event_kind, "timestamp_ms": now_ms, "data": body})
    if len(text) > _BODY_LIMIT:
        raise BadRequest(f"a webhook tells at most {_BODY_LIMIT >> 10} KiB; send a reference instead", param="body")
    made = make_id("delivery", now_ms, house.entropy)
    rows.add_delivery(tx, rows.Delivery(made, project_id, url, event_kind, text.decode(), now_ms, now_ms))
    return made


async def send_webhook(
    house: House, url: str, event_kind: str, body: dict[str, Any], *, project_id: str | None = None
) -> str:
    """As `write_webhook`, in a transaction of its own."""
    return await house.store.transact(lambda tx: write_webhook(tx, house, url, event_kind, body, project_id=project_id))


async def deliver_webhooks(house: House, stop: asyncio.Event) -> None:
    """Deliver what is due, every second, until *stop*."""
    while not stop.is_set():
        if await deliver_once(house) == 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_S)


async def deliver_once(house: House) -> int:
    """Take what is due, 16 at most, send it side by side, and write down how it went; gives how many."""
    now_ms = house.clock.now_ms()
    if not await house.store.read(lambda tx: rows.is_due(tx, now_ms)):
        return 0
    due = await house.store.transact(lambda tx: rows.take_due(tx, now_ms, _LEASE_MS, _AT_ONCE))
    await asyncio.gather(*(_deliver(house, one) for one in due))
    return len(due)


async def forget_webhooks(house: House) -> int:
    """Forget deliveries that ended 30 days ago, 500 at most; gives how many."""
    before_ms = house.clock.now_ms() - _KEPT_MS
    return await house.store.transact(lambda tx: rows.forget_deliveries(tx, before_ms, _FORGET_AT_ONCE))


async def retry_webhook(house: House, caller: Caller, delivery_id: str) -> rows.Delivery:
    """Try a delivery again now, also one that was abandoned.

    Raises:
        NotFound: there is none.
        Conflict: it was delivered.
    """

    def work(tx: Tx) -> rows.Delivery:
        now_ms = house.clock.now_ms()
        found = rows.find_delivery(tx, delivery_id)
        moved = rows.move_delivery(tx, found, "retry", next_ms=now_ms, attempts=0, ended_ms=None)
        tell(tx, WebhookRetried(found.id), actor=actor_of(caller), at_ms=now_ms)
        return moved

    return await house.store.transact(work)


async def _deliver(house: House, one: rows.Delivery) -> None:
    status, fault = await _post(house, one)
    await house.store.transact(lambda tx: _note(tx, house, one, status, fault))


async def _post(house: House, one: rows.Delivery) -> tuple[int | None, str | None]:
    at_s, body = house.clock.now_ms() // 1000, one.body.encode()
    signature = rules.sign(rules.webhook_secret(house.place.pepper, one.url), one.id, at_s, body)
    headers = [
        (b"content-type", b"application/json"),
        (b"webhook-id", one.id.encode()),
        (b"webhook-timestamp", b"%d" % at_s),
        (b"webhook-signature", signature.encode()),
    ]
    try:
        answer = await house.errands.run("POST", one.url, body, headers, timeout_s=TIMEOUT_S, limit_bytes=_ANSWER_BYTES)
    except PrimeurError as error:
        return None, error.message
    if rules.is_accepted(answer.status):
        return answer.status, None
    return answer.status, f"the receiver answered {answer.status}"


def _note(tx: Tx, house: House, one: rows.Delivery, status: int | None, fault: str | None) -> None:
    now_ms, attempts = house.clock.now_ms(), one.attempts + 1
    # Whoever asked for another try meanwhile has moved the delivery on; then this attempt changes nothing.
    with suppress(Conflict):
        if fault is None:
            rows.move_delivery(tx, one, "deliver", attempts=attempts, status=status, fault=None, ended_ms=now_ms)
            return
        again_ms = rules.next_try_ms(attempts, status, now_ms, house.entropy(1)[0])
        if again_ms is not None:
            rows.move_delivery(tx, one, "retry", attempts=attempts, status=status, fault=fault, next_ms=again_ms)
            return
        rows.move_delivery(tx, one, "abandon", attempts=attempts, status=status, fault=fault, ended_ms=now_ms)
        tell(tx, WebhookAbandoned(one.id, one.kind, fault), actor=_ACTOR, at_ms=now_ms)
