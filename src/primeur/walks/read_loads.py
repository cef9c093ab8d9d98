"""Read what is under way for each revision: here, and in all processes of this house together."""

from collections.abc import Mapping

from primeur.core.chat import Deployment
from primeur.core.errors import NotReady
from primeur.core.scaling import Load, add_loads
from primeur.walks.house import House

NOTHING = Load()


def loads_here(house: House) -> dict[str, Load]:
    """Give what this process has under way, by revision; revisions with nothing under way are left out."""
    found: dict[str, dict[int, int]] = {}
    for deployment in _distinct(house):
        for target in deployment.targets:
            busy = house.relay.busy(target.endpoint)
            if busy:
                found.setdefault(target.revision_id, {})[target.replica] = busy
    waiting = {revision_id: count for revision_id, count in house.board.waiting.items() if count}
    return {
        one: Load(sum(found.get(one, {}).values()), waiting.get(one, 0), found.get(one, {}))
        for one in found.keys() | waiting.keys()
    }


def loads_everywhere(house: House) -> dict[str, Load]:
    """Give what all processes of this house have under way, by revision; where they are kept together."""
    return add_loads(loads_here(house), *house.board.elsewhere.values())


async def ask_loads(house: House) -> dict[str, Load]:
    """As `loads_everywhere`, in any process of the house.

    Raises:
        NotReady: the process that knows does not answer.
    """
    if house.family is None:
        return loads_everywhere(house)
    try:
        return await house.family.loads()
    except OSError as error:
        raise NotReady(f"the queues of all processes cannot be told: {error}; retry in 1 s") from None


def queue_of(load: Load, slots: int | None) -> int:
    """Give how many requests wait: for a revision to wake, or for a slot of the replica that they were sent to."""
    beyond = 0 if slots is None else sum(max(0, count - slots) for count in load.by_replica.values())
    return load.waiting + beyond


def slots_of(house: House, revision_id: str) -> int | None:
    """Give how many requests one replica of a revision works on at once; None: as many as come."""
    planned = house.board.now.plans.get(revision_id)
    return None if planned is None else planned[1].slots


def _distinct(house: House) -> list[Deployment]:
    """Aliases lead to the deployments themselves, which are looked at once."""
    by_name: Mapping[str, Deployment] = {one.name: one for one in house.board.now.deployments.values()}
    return list(by_name.values())
