"""Let a request wait while the deployment it asks for wakes: bounded in number and in time."""

import asyncio

from primeur.core.chat import Ask, Deployment
from primeur.core.errors import NotReady, OverLimit, StillWaking
from primeur.walks.house import House

_AGAIN_MS = 1000


def answering(house: House, ask: Ask) -> Deployment:
    """Give the deployment that would answer *ask* now."""
    return house.board.now.way(ask.route, ask.model).deployment


async def wait_awake(house: House, ask: Ask, fault: NotReady) -> None:
    """Wait until somebody can answer *ask*; the one who decides on replicas sees that somebody waits.

    Args:
        fault: why nobody can, for deployments that nobody may wait for.

    Raises:
        NotReady: nothing is worth waiting for.
        OverLimit: too many wait already.
        StillWaking: it took too long.
    """
    board, deployment = house.board, answering(house, ask)
    wakes = deployment.wakes
    if wakes is None:
        raise fault
    if board.waiting[wakes.revision_id] >= wakes.most:
        raise OverLimit(
            f"{deployment.name!r} is {deployment.phase}, and {wakes.most} requests wait for it already; retry in 1 s",
            retry_after_ms=_AGAIN_MS, code="queue_full",
        )  # fmt: skip
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


async def _until_awake(house: House, ask: Ask) -> None:
    while True:
        turned, now = house.board.turned, answering(house, ask)
        # What was removed meanwhile, or cannot wake any more, is told by whoever admits the request again.
        if now.targets or now.wakes is None:
            return
        await turned.wait()
