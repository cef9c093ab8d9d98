"""How many replicas of a revision shall run: what a deployment may ask for."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

REPLICAS_MOST = 64
Metric = Literal["concurrency", "queue", "tokens"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_Count = Annotated[int, msgspec.Meta(ge=0, le=REPLICAS_MOST)]
_Hour = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
_Pause = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours in which other bounds hold.

    Attributes:
        days: on which it begins.
        start, end: local time, ``HH:MM``; an end before its start is on the next day, an equal one a whole day later.
        min, max: bounds while it is open.
    """

    start: _Hour
    end: _Hour
    min: _Count
    max: _Count
    days: tuple[Day, ...] = DAYS


class Scaling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many replicas of one revision run, as part of it; with no more than this, exactly one.

    Attributes:
        min, max: bounds; with a minimum of 0 a revision that nobody asks sleeps until somebody does.
        metric: what the load is: requests in flight, requests that wait for a slot of an engine, or output tokens in a
            second.
        target: load that one replica shall carry.
        tolerance: part of the target by which the load may differ before anything is done.
        over_s: seconds over which the load is averaged.
        up_cooldown_s, down_cooldown_s: seconds after any change before there may be more, or fewer.
        idle_after_s: seconds without a request before a revision with a minimum of 0 sleeps.
        queue_most, queue_wait_s: how many requests may wait for a revision that wakes, and for how long.
        drain_s: seconds that a replica which is not wanted any more may take to finish its requests.
        windows: scheduled bounds; the first that is open holds.
        time_zone: of the windows, such as ``Europe/Berlin``.
    """

    min: _Count = 1
    max: Annotated[int, msgspec.Meta(ge=1, le=REPLICAS_MOST)] = 1
    metric: Metric = "concurrency"
    target: Annotated[float, msgspec.Meta(gt=0, le=1e9)] = 4.0
    tolerance: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    over_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 10.0
    up_cooldown_s: _Pause = 15.0
    down_cooldown_s: _Pause = 300.0
    idle_after_s: Annotated[float, msgspec.Meta(ge=1, le=604_800)] = 300.0
    queue_most: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    queue_wait_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 60.0
    drain_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 300.0
    windows: Annotated[tuple[Window, ...], msgspec.Meta(max_length=50)] = ()
    time_zone: str = "UTC"

    @property
    def most(self) -> int:
        """The most replicas that may ever run."""
        return max(self.max, *(window.max for window in self.windows), 1)

    @property
    def may_sleep(self) -> bool:
        """Whether there are hours without any replica."""
        return self.min == 0 or any(window.min == 0 for window in self.windows)


class Load(msgspec.Struct, frozen=True, array_like=True):
    """What one process has under way for one revision.

    Attributes:
        in_flight: requests at its engines or providers.
        waiting: requests that wait for it to wake.
        by_replica: *in_flight* by the number of the replica.
    """

    in_flight: int = 0
    waiting: int = 0
    by_replica: dict[int, int] = {}


def add_loads(*of: Mapping[str, Load]) -> dict[str, Load]:
    """Give what several processes have under way together, by revision."""
    together: dict[str, Load] = {}
    for loads in of:
        for revision_id, load in loads.items():
            known = together.get(revision_id)
            together[revision_id] = load if known is None else _plus(known, load)
    return together


def _plus(one: Load, other: Load) -> Load:
    replicas = one.by_replica.keys() | other.by_replica.keys()
    by_replica = {number: one.by_replica.get(number, 0) + other.by_replica.get(number, 0) for number in replicas}
    return Load(one.in_flight + other.in_flight, one.waiting + other.waiting, by_replica)


ONE = Scaling()
