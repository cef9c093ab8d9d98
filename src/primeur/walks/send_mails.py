"""Send the mails that are due, again and again with longer pauses until the server takes them or we give up."""

import asyncio
from contextlib import suppress

from primeur.billing import alert_rows as rows
from primeur.core.errors import TargetFailed
from primeur.core.events import MailAbandoned
from primeur.store.database import Tx, tell
from primeur.walks.house import House

PAUSES_MS = (10_000, 60_000, 300_000, 1_800_000, 7_200_000, 43_200_000)
"""Milliseconds after each failed attempt; after the last one the mail is abandoned, 14 hours in all."""

_AT_ONCE = 20
_PERIOD_S = 5.0
_ACTOR = "house"


async def send_mails(house: House, stop: asyncio.Event) -> None:
    """Send what is due, every five seconds, until *stop*; without a mail server, mails wait for one."""
    while not stop.is_set():
        if house.post is None or await send_due(house) == 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PERIOD_S)


async def send_due(house: House) -> int:
    """Send what is due, 20 at most, one after the other; gives how many were tried."""
    now_ms = house.clock.now_ms()
    due = await house.store.read(lambda tx: rows.due_mails(tx, now_ms, _AT_ONCE))
    for mail in due:
        await _send(house, mail)
    return len(due)


async def _send(house: House, mail: rows.MailRow) -> None:
    fault: str | None = None
    try:
        if house.post is not None:
            await house.post.send(mail.recipient, mail.subject, mail.body)
    except TargetFailed as error:
        fault = error.message
    await house.store.transact(lambda tx: _note(tx, house, mail, fault))


def _note(tx: Tx, house: House, mail: rows.MailRow, fault: str | None) -> None:
    now_ms = house.clock.now_ms()
    if fault is None:
        rows.note_mail(tx, mail, rows.SENT, now_ms, None)
    elif mail.attempts < len(PAUSES_MS):
        rows.note_mail(tx, mail, rows.PENDING, now_ms + PAUSES_MS[mail.attempts], fault)
    else:
        rows.note_mail(tx, mail, rows.ABANDONED, now_ms, fault)
        tell(tx, MailAbandoned(mail.id, fault), actor=_ACTOR, at_ms=now_ms)
