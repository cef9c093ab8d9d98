"""How many replicas a revision shall have: a decision with its reason and evidence; pure.

Source: Kubernetes, "Horizontal Pod Autoscaling": the ratio of load to target with a tolerance, and the highest load of
a stabilisation window before going down.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

import msgspec

from primeur.core.errors import BadRequest
from primeur.core.scaling import DAYS, Scaling, Window

BOUNDS, ASKED, IDLE, LOAD, MEMORY, STEADY = "bounds", "asked", "idle", "load", "memory", "steady"
_WORDS = {
    "concurrency": "requests in flight",
    "queue": "requests waiting for a slot",
    "tokens": "output tokens in a second",
}


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of one revision.

    Attributes:
        replicas: that shall run now.
        ready: of these, those that serve.
        load: of all replicas together, averaged.
        peak: the highest such average within the cool-down for going down.
        waiting: requests that wait for it to wake.
        idle_ms: since the last request ended; 0 while there is one.
        changed_ms: when the number last changed, UTC milliseconds; None: never.
        fits: most replicas that memory allows, see `primeur.registry.memory`; None: nothing is known yet.
        kept: a roll-out wants it up.
    """

    replicas: int
    ready: int = 0
    load: float = 0.0
    peak: float = 0.0
    waiting: int = 0
    idle_ms: int = 0
    changed_ms: int | None = None
    fits: int | None = None
    kept: bool = False


class Evidence(msgspec.Struct, frozen=True):
    """What a decision was made from; see `Observed`."""

    metric: str
    target: float
    load: float
    peak: float
    waiting: int
    ready: int
    idle_ms: int
    low: int
    high: int
    fits: int | None


class Decision(msgspec.Struct, frozen=True):
    """How many replicas shall run from now on.

    Attributes:
        wanted: how many there would be if memory had no end.
        reason: one word: ``bounds``, ``asked``, ``idle``, ``load``, ``memory`` or ``steady``.
        detail: the same in words.
    """

    replicas: int
    wanted: int
    reason: str
    detail: str
    evidence: Evidence


def check_scaling(scaling: Scaling) -> Scaling:
    """Give *scaling* back if it can be met.

    Raises:
        BadRequest: a minimum above its maximum, days that are missing, an unknown time zone; says where.
    """
    if scaling.min > scaling.max:
        raise BadRequest(f"scaling.min is {scaling.min}, above scaling.max, {scaling.max}", param="scaling.min")
    for place, window in enumerate(scaling.windows):
        path = f"scaling.windows[{place}]"
        if window.min > window.max or window.max == 0:
            words = f"{path}: min is {window.min} and max is {window.max}; max is at least 1 and not below min"
            raise BadRequest(words, param=path)
        if not window.days:
            raise BadRequest(f"{path}.days is empty; leave it out for every day", param=f"{path}.days")
    try:
        ZoneInfo(scaling.time_zone)
    except (LookupError, OSError, ValueError):
        words = f"there is no time zone {scaling.time_zone!r}; write one such as Europe/Berlin, or UTC"
        raise BadRequest(words, param="scaling.time_zone") from None
    return scaling


def bounds_at(scaling: Scaling, now_ms: int) -> tuple[int, int, str]:
    """Give the least and the most replicas at this moment, and where they come from, in words."""
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(scaling.time_zone))
    for window in scaling.windows:
        if _is_open(window, local):
            return window.min, window.max, f"the window {window.start} to {window.end} ({scaling.time_zone})"
    return scaling.min, scaling.max, "the bounds"


def _is_open(window: Window, local: datetime) -> bool:
    time = local.strftime("%H:%M")
    today, yesterday = DAYS[local.weekday()], DAYS[(local - timedelta(days=1)).weekday()]
    if window.start < window.end:
        return today in window.days and window.start <= time < window.end
    return (today in window.days and time >= window.start) or (yesterday in window.days and time < window.end)


def first_replicas(scaling: Scaling, before: int, now_ms: int) -> int:
    """Give the replicas that a new revision begins with: as many as the one *before* it has, within its bounds."""
    low, high, _ = bounds_at(scaling, now_ms)
    return min(max(before, low, 1), high)


def decide(scaling: Scaling, seen: Observed, now_ms: int) -> Decision:
    """Say how many replicas shall run.

    Bounds and requests that wait hold at once; everything else waits for its cool-down. Going down is allowed only as
    far as the replicas that remain would have carried the highest load of the cool-down (N-1), and never while one of
    them is not ready.
    """
    low, high, where = bounds_at(scaling, now_ms)
    if seen.kept:
        low, high = max(1, low), max(1, high)
    evidence = Evidence(
        metric=scaling.metric, target=scaling.target, load=round(seen.load, 3), peak=round(seen.peak, 3),
        waiting=seen.waiting, ready=seen.ready, idle_ms=seen.idle_ms, low=low, high=high, fits=seen.fits,
    )  # fmt: skip
    wanted, reason, detail = _wanted(scaling, seen, low, now_ms)
    bounded = min(max(wanted, low), high)
    if bounded != wanted:
        detail = f"{detail}; {where} ask for {low} to {high}"
        reason = reason if low <= seen.replicas <= high else BOUNDS
    if bounded == seen.replicas:
        reason = STEADY
    return _fitting(Decision(bounded, bounded, reason, detail, evidence), seen)


def _wanted(scaling: Scaling, seen: Observed, low: int, now_ms: int) -> tuple[int, str, str]:
    if seen.replicas == 0:
        if seen.waiting or seen.load > 0:
            return 1, ASKED, f"it slept, and {max(1, seen.waiting)} wait for it"
        return (low, BOUNDS, "the hours without a replica are over") if low else (0, STEADY, "nobody asks for it")
    since_s = None if seen.changed_ms is None else (now_ms - seen.changed_ms) / 1000
    if low == 0 and not seen.waiting and seen.load <= 0:
        quiet_s = min(seen.idle_ms / 1000, seen.idle_ms / 1000 if since_s is None else since_s)
        if quiet_s >= scaling.idle_after_s:
            return 0, IDLE, f"nobody asked for {scaling.idle_after_s:g} s"
    return _by_load(scaling, seen, since_s)


def _by_load(scaling: Scaling, seen: Observed, since_s: float | None) -> tuple[int, str, str]:
    ratio = seen.load / (scaling.target * seen.replicas)
    told = f"{seen.load:.3g} {_WORDS[scaling.metric]}, {scaling.target:g} wanted for each of {seen.replicas}"
    needed = seen.replicas if abs(ratio - 1) <= scaling.tolerance else ceil(seen.load / scaling.target)
    if needed > seen.replicas:
        if since_s is not None and since_s < scaling.up_cooldown_s:
            return seen.replicas, STEADY, f"{told}; it changed {since_s:.3g} s ago"
        return needed, LOAD, told
    carries = max(1, needed, ceil(max(seen.peak, seen.load) / scaling.target))
    if carries >= seen.replicas:
        return seen.replicas, STEADY, told
    if seen.ready < seen.replicas:
        return seen.replicas, STEADY, f"{told}; {seen.replicas - seen.ready} are not ready"
    if since_s is not None and since_s < scaling.down_cooldown_s:
        return seen.replicas, STEADY, f"{told}; it changed {since_s:.3g} s ago"
    return carries, LOAD, f"{told}; {carries} would have carried the most that was seen, {seen.peak:.3g}"


def _fitting(decision: Decision, seen: Observed) -> Decision:
    """Never more than fit into memory; those that run go on."""
    if seen.fits is None or decision.replicas <= max(seen.fits, seen.replicas):
        return decision
    fitting = max(seen.fits, seen.replicas)
    detail = f"{decision.detail}; memory has room for {fitting} of {decision.wanted}"
    return msgspec.structs.replace(decision, replicas=fitting, reason=MEMORY, detail=detail)


def process_name(revision_id: str, replica: int) -> str:
    """Name the process of a replica; the first has the revision's own name."""
    return revision_id if replica == 1 else f"{revision_id}.{replica}"


def revision_of(process: str) -> str:
    """Give the revision that a process belongs to."""
    return process.partition(".")[0]
