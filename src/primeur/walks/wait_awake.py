"""Let a request wait while the deployment it asks for wakes: bounded in number and in time."""

import asyncio

from primeur.core.caller import Gate, Limits
from primeur.core.chat import Ask, Deployment, Wakes
from primeur.core.errors import NotReady, OverLimit, SliceSpent, StillWaking
from primeur.core.ports import Hold
from primeur.walks.house import House

_AGAIN_MS = 1000
_FILLS_MOST = 50


def answering(house: House, ask: Ask) -> Deployment:
    """Give the deployment that would answer *ask* now."""
    return house.board.now.way(ask.route, ask.model).deployment


async def wait_awake(house: House, ask: Ask, fault: NotReady) -> None:
    """Wait until somebody can answer *ask*; the one who decides on replicas sees that somebody waits.

    Args:
        fault: why nobody can, for deployments that nobody may wait for.

    Raises:
        NotReady: nothing is worth waiting for.
        OverLimit: too many wait already, in all processes together.
        StillWaking: it took too long.
    """
    board, deployment = house.board, answering(house, ask)
    wakes = deployment.wakes
    if wakes is None:
        raise fault
    place = await _stand_in_line(house, deployment, wakes)
    board.waiting[wakes.revision_id] += 1
    try:
        async with asyncio.timeout(wakes.wait_s):
            await _until_awake(house, ask)
    except TimeoutError:
        why = answering(house, ask).pending or "it is not ready"
        words = f"{deployment.name!r} did not wake within {wakes.wait_s:g} s ({why}); retry in 1 s"
        raise StillWaking(words, retry_after_ms=_AGAIN_MS) from None
    finally:
        board.waiting[wakes.revision_id] -= 1
        place.lane.settle(place, 0, None, house.clock.now_ms())


async def _stand_in_line(house: House, deployment: Deployment, wakes: Wakes) -> Hold:
    """Take one of the places that all processes of the house have together; whoever takes it must settle it."""
    gate = Gate(f"those who wait for {wakes.revision_id} at {house.place.name}", Limits(concurrency=wakes.most))
    lane = house.limiter.lane((gate,), None)
    try:
        for _ in range(_FILLS_MOST):
            try:
                return lane.reserve(0, None, house.clock.now_ms())
            except SliceSpent as spent:
                await house.limiter.fill(spent)
    except OverLimit:
        pass
    raise OverLimit(
        f"{deployment.name!r} is {deployment.phase}, and {wakes.most} requests wait for it already; retry in 1 s",
        retry_after_ms=_AGAIN_MS, code="queue_full",
    )  # fmt: skip


async def _until_awake(house: House, ask: Ask) -> None:
    while True:
        turned, now = house.board.turned, answering(house, ask)
        # What was removed meanwhile, or cannot wake any more, is told by whoever admits the request again.
        if now.targets or now.wakes is None:
            return
        await turned.wait()
