"""Say who is told when budgets are reached, or tell them no more."""

import re
from typing import Annotated, Literal

import msgspec

from primeur.billing import alert_rows as rows
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import AlertTargetAdded, AlertTargetRemoved
from primeur.core.ids import make_id
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.send_webhook import check_webhook_url

_MAIL = re.compile(r"[^@\s]+@[^@\s]+")


class NewAlertTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to be told.

    Attributes:
        kind: ``email`` or ``webhook``.
        address: an e-mail address, or a URL.
        language: of a mail.
    """

    kind: Literal["email", "webhook"]
    address: Annotated[str, msgspec.Meta(min_length=3, max_length=2000)]
    language: Literal["en", "fr"] = "en"


async def add_alert_target(house: House, caller: Caller, ask: NewAlertTarget) -> rows.AlertTarget:
    """Tell somebody from now on.

    Raises:
        BadRequest: no e-mail address, or a URL that may not be reached.
    """
    if ask.kind == rows.WEBHOOK:
        check_webhook_url(house, ask.address)
    elif len(ask.address) > 320 or _MAIL.fullmatch(ask.address) is None:
        raise BadRequest(f"{ask.address[:100]!r} is no e-mail address", param="address")

    def work(tx: Tx) -> rows.AlertTarget:
        now_ms = house.clock.now_ms()
        made = make_id("alert_target", now_ms, house.entropy)
        target = rows.AlertTarget(made, ask.kind, ask.address, ask.language, now_ms)
        rows.add_target(tx, target)
        tell(tx, AlertTargetAdded(target.id, target.kind), actor=actor_of(caller), at_ms=now_ms)
        return target

    return await house.store.transact(work)


async def remove_alert_target(house: House, caller: Caller, target_id: str) -> rows.AlertTarget:
    """Tell somebody no more.

    Raises:
        NotFound: there is nobody of that id.
    """

    def work(tx: Tx) -> rows.AlertTarget:
        target = rows.remove_target(tx, target_id)
        tell(tx, AlertTargetRemoved(target.id), actor=actor_of(caller), at_ms=house.clock.now_ms())
        return target

    return await house.store.transact(work)
