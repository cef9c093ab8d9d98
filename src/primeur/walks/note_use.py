"""Write down, now and then and all at once, when keys and sessions were last used."""

import asyncio

from primeur.governance.rows import note_key_use
from primeur.governance.sign_in_rows import note_session_use
from primeur.store.database import Tx
from primeur.walks.house import House

_PERIOD_S = 10.0


async def note_use(house: House, stop: asyncio.Event) -> None:
    """Every ten seconds until *stop*, and once more then."""
    while not stop.is_set():
        try:
            async with asyncio.timeout(_PERIOD_S):
                await stop.wait()
        except TimeoutError:
            pass
        await write_use(house)


async def write_use(house: House) -> None:
    """Write what was used since the last time; on the request path it is one entry in a dictionary."""
    board = house.board
    keys, board.used = board.used, {}
    sessions, fresh = dict(board.seen), dict(board.seen_now)
    board.seen_now = {}
    if not keys and not fresh:
        return

    def work(tx: Tx) -> None:
        note_key_use(tx, keys)
        note_session_use(tx, fresh)

    await house.store.transact(work)
    # What sessions the snapshot knows no longer are forgotten here too.
    known = {caller.session_id for caller in board.now.sessions.values()}
    for session_id in sessions:
        if session_id not in known:
            board.seen.pop(session_id, None)
