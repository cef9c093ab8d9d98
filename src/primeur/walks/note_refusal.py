"""Put refusals into the event log: who was not let in, or may not do what they asked for."""

import asyncio

from primeur.core.caller import Caller
from primeur.core.errors import NotAuthenticated, NotPermitted, PrimeurError
from primeur.governance.refusal_rules import Refused
from primeur.store.database import Tx, tell
from primeur.store.origin import ORIGIN, Origin
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House

_REASON_LIMIT = 300
_UNKNOWN = "unknown"
_telling: set[asyncio.Task[None]] = set()


def note_refusal(house: House, caller: Caller | None, door: str, origin: Origin, error: PrimeurError) -> None:
    """Tell of a refusal without making anybody wait; other faults are none, and are not told of.

    Args:
        caller: None: nobody we know.
        door: method and path with placeholders, such as ``POST /api/v1/keys``.
    """
    if not isinstance(error, NotAuthenticated | NotPermitted):
        return
    who = (_UNKNOWN, "") if caller is None else (actor_of(caller), caller.organisation_id)
    refused = Refused(*who, origin.address, door, error.code, error.message[:_REASON_LIMIT])
    if house.board.refusals.note(refused, house.clock.now_ms()):
        ORIGIN.set(Origin(origin.address, origin.request_id, who[1]))
        task = asyncio.get_running_loop().create_task(_tell(house, [(refused, 1)]))
        _telling.add(task)
        task.add_done_callback(_telling.discard)


async def tell_refusals(house: House, *, all_of_them: bool = False) -> int:
    """Tell what came again within the minute that is over, each kind once with its number; gives how many kinds."""
    due = house.board.refusals.due(house.clock.now_ms(), all_of_them=all_of_them)
    for refused, times in due:
        ORIGIN.set(Origin(refused.address, "", refused.organisation_id))
        await _tell(house, [(refused, times)])
    return len(due)


async def _tell(house: House, what: list[tuple[Refused, int]]) -> None:
    def work(tx: Tx) -> None:
        for refused, times in what:
            tell(tx, refused.event(times), actor=refused.actor, at_ms=house.clock.now_ms())

    await house.store.transact(work)
