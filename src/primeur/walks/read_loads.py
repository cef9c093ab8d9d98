"""Read what is under way for each revision: here, and in all processes of this house together."""

from collections.abc import Mapping

from primeur.core.chat import Deployment
from primeur.core.scaling import Load
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
    """Give what all processes of this house have under way, by revision."""
    together: dict[str, Load] = {}
    for loads in (loads_here(house), *house.board.elsewhere.values()):
        for revision_id, load in loads.items():
            together[revision_id] = _plus(together.get(revision_id, NOTHING), load)
    return together


def queue_of(load: Load, slots: int | None) -> int:
    """Give how many requests wait: for a revision to wake, or for a slot of the replica that they were sent to."""
    beyond = 0 if slots is None else sum(max(0, count - slots) for count in load.by_replica.values())
    return load.waiting + beyond


def _plus(one: Load, other: Load) -> Load:
    replicas = one.by_replica.keys() | other.by_replica.keys()
    by_replica = {number: one.by_replica.get(number, 0) + other.by_replica.get(number, 0) for number in replicas}
    return Load(one.in_flight + other.in_flight, one.waiting + other.waiting, by_replica)


def _distinct(house: House) -> list[Deployment]:
    """Aliases lead to the deployments themselves, which are looked at once."""
    by_name: Mapping[str, Deployment] = {one.name: one for one in house.board.now.deployments.values()}
    return list(by_name.values())
