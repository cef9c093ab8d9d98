"""How the simulated provider answers offers of capacity: notices come by signed webhook, answers go to their link."""

import asyncio
import base64
import binascii
import hmac
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import msgspec

from primeur.core.ports import Clock
from primeur.providers.sim_behaviour import Behaviour
from primeur.providers.sim_wire import SimRefusal

_MOST_PENDING = 1000
_KEPT = 100
_TIMEOUT_S = 10.0
# Source: Standard Webhooks, "Verifying webhook authenticity": older and younger notices are refused.
_TOLERANCE_S = 300
_SECRET_PREFIX = "whsec_"  # noqa: S105 - a mark, no secret


class Notice(msgspec.Struct, frozen=True):
    """What of a notice the answer depends on."""

    offer: str
    hash: str
    terms: dict[str, Any]
    answer_at: str


class _Delivery(msgspec.Struct, frozen=True):
    type: str
    data: Notice


class Told(msgspec.Struct):
    """One notice, and what became of it.

    Attributes:
        said: what was answered; None for silence.
        status: HTTP status that the answer got; None before it was sent, 0 when nobody could be reached.
    """

    offer: str
    hash: str
    units: int
    said: dict[str, Any] | None = None
    status: int | None = None


class OfferDesk:
    """Takes notices and answers them as the behaviour in force says."""

    def __init__(self, clock: Clock, secret: str | None, sleep: Callable[[float], Awaitable[None]]) -> None:
        """*secret* is the webhook's, ``whsec_...``; None takes every notice."""
        self._clock, self._secret, self._sleep = clock, secret, sleep
        self._pending: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()
        self.told: deque[Told] = deque(maxlen=_KEPT)

    def take(self, headers: dict[bytes, bytes], body: bytes, behaviour: Behaviour) -> None:
        """Take one notice; the same delivery twice is one.

        Raises:
            SimRefusal: not signed by the house, too old, or no notice of an offer.
        """
        delivery_id = headers.get(b"webhook-id", b"").decode("latin-1")
        if self._secret is not None:
            self._check_signature(delivery_id, headers, body)
        try:
            delivery = msgspec.json.decode(body, type=_Delivery)
        except msgspec.MsgspecError as error:
            raise SimRefusal(400, "BadRequest", f"this is no notice of an offer: {error}") from None
        if delivery_id and delivery_id in self._seen:
            return
        if len(self._pending) >= _MOST_PENDING:
            raise SimRefusal(503, "ServiceUnavailable", "Too many offers wait for an answer; send it again later.")
        if len(self._seen) >= _MOST_PENDING:
            self._seen.clear()
        self._seen.add(delivery_id)
        notice = delivery.data
        told = Told(notice.offer, notice.hash, int(notice.terms["units"]), answer_to(notice.terms, behaviour))
        self.told.append(told)
        if told.said is not None:
            task = asyncio.get_running_loop().create_task(self._answer(notice, told, behaviour.offer_after_s))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)

    def close(self) -> None:
        """Answer nothing any more."""
        for task in tuple(self._pending):
            task.cancel()

    async def _answer(self, notice: Notice, told: Told, after_s: float) -> None:
        await self._sleep(after_s)
        try:
            async with httpx2.AsyncClient(timeout=_TIMEOUT_S) as client:
                answered = await client.post(notice.answer_at, json=told.said)
            told.status = answered.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL):
            told.status = 0

    def _check_signature(self, delivery_id: str, headers: dict[bytes, bytes], body: bytes) -> None:
        at, given = headers.get(b"webhook-timestamp", b""), headers.get(b"webhook-signature", b"")
        if not at.isdigit() or abs(int(at) - self._clock.now_ms() // 1000) > _TOLERANCE_S:
            raise SimRefusal(401, "401", "The notice is too old or has no time.")
        try:
            key = base64.b64decode((self._secret or "").removeprefix(_SECRET_PREFIX), validate=True)
        except binascii.Error:
            raise SimRefusal(401, "401", "The secret of this simulator is none; start it with whsec_...") from None
        made = base64.b64encode(hmac.digest(key, b"%b.%b.%b" % (delivery_id.encode(), at, body), "sha256"))
        if not any(hmac.compare_digest(b"v1," + made, one) for one in given.split()):
            raise SimRefusal(401, "401", "The notice is not signed with this provider's secret.")


def answer_to(terms: dict[str, Any], behaviour: Behaviour) -> dict[str, Any] | None:
    """Give what the provider says to terms; None is silence."""
    wants = behaviour.offer_least_price_nanos
    if behaviour.offer == "silence":
        return None
    if behaviour.offer == "counter" or (behaviour.offer == "accept" and terms["unit_price_nanos"] < wants):
        return {"answer": "counter", "counter": terms | {"unit_price_nanos": max(wants, terms["unit_price_nanos"])}}
    if behaviour.offer != "accept":
        return {"answer": behaviour.offer}
    most = behaviour.offer_units
    return {"answer": "accept"} if most is None or most >= terms["units"] else {"answer": "accept", "units": most}
