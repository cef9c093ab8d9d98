"""Tell the event log when shared limits are lost, and when they are found again."""

from primeur.core.events import AnyEvent, SharedLimitsFound, SharedLimitsLost
from primeur.store.database import tell
from primeur.walks.house import House

_ACTOR = "limits"


async def tell_limits(house: House, process: str, reason: str, *, shares: bool) -> None:
    """Tell it.

    Args:
        process: the one that has noticed.
        reason: why they are lost; empty when they are found again.
        shares: each process goes on with its part of the limits; else nothing that is limited is let in.
    """
    what: AnyEvent = SharedLimitsFound(process)
    if reason:
        what = SharedLimitsLost(process, reason, "share" if shares else "closed")
    await house.store.transact(lambda tx: tell(tx, what, actor=_ACTOR, at_ms=house.clock.now_ms()))
