"""How much memory an engine process needs, by what was measured and computed, and whether it fits; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from primeur.core.errors import Conflict

_KIB = 1 << 10


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process was measured to hold, bytes.

    Attributes:
        engine, launch: what it was, and the digest of how it was started (`primeur.core.ports.Launch.digest`).
        memory_bytes: the most that was seen.
        shared_bytes: of these, weights that it maps from their file: processes of the same weights hold them once.
        computed_bytes: what the engine had computed of weights and cache; None: it could not.
    """

    engine: str
    launch: str
    memory_bytes: int
    shared_bytes: int = 0
    computed_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What one process needs, bytes.

    Attributes:
        shared_bytes: see `Seen`.
        measured: exactly this was seen; else it is an estimate.
        computed_bytes: the part of an estimate that is computed; what is beside it was seen with others.
    """

    memory_bytes: int
    shared_bytes: int = 0
    measured: bool = False
    computed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """What one process holds, or will when it has loaded, bytes.

    Attributes:
        deployment: the name of whose it is.
        weights: names what it may share with others, see `Seen`.
    """

    deployment: str
    weights: str
    memory_bytes: int
    shared_bytes: int = 0


def grew(seen: int, before: int | None) -> bool:
    """Whether memory that was seen is news: the first figure, or a twentieth more than the most so far."""
    return before is None or seen > before * 1.05


def need_of(
    engine: str, launch: str, computed: int | None, seen: Sequence[Seen], elsewhere: Iterable[Seen] = ()
) -> Need | None:
    """Say what a process of some weights needs; None: nothing is known, and its first load measures it.

    What was measured of exactly this counts, and what the engine computes where that is more, for a cache may fill
    slowly. Otherwise it is what the engine computes, and the most that the same engine was seen to hold of the same
    weights beyond what it had computed for other settings; or else, the least that it was seen to hold beyond that of
    any weights, which is the program itself.

    Args:
        computed: see `Seen`.
        seen: of the same weights.
        elsewhere: of all.
    """
    floor = computed or 0
    same = [one for one in seen if one.engine == engine]
    for one in same:
        if one.launch == launch:
            return Need(max(one.memory_bytes, floor), one.shared_bytes, measured=True)
    beside = max((one.memory_bytes - (one.computed_bytes or 0) for one in same), default=0)
    shared = min((one.shared_bytes for one in same), default=0)
    if computed is None and not same:
        return None
    if not same:
        own = [
            one.memory_bytes - one.computed_bytes for one in elsewhere if one.engine == engine and one.computed_bytes
        ]
        beside = min(own, default=0)
    return Need(floor + max(0, beside), shared, computed_bytes=floor)


def held_by(holdings: Iterable[Holding]) -> dict[str, int]:
    """Give the bytes that are held, by deployment; what processes of the same weights share counts once."""
    most: dict[str, int] = {}
    held: dict[str, int] = {}
    for one in sorted(holdings, key=lambda one: (-one.shared_bytes, one.deployment)):
        mine = one.memory_bytes - min(one.shared_bytes, most.get(one.weights, 0))
        most.setdefault(one.weights, one.shared_bytes)
        held[one.deployment] = held.get(one.deployment, 0) + mine
    return held


def check_memory(asked: Sequence[Holding], need: Need, running: Sequence[Holding], memory_bytes: int) -> None:
    """Let processes be started that fit beside what runs.

    Args:
        asked: one for each, alike.
        need: of each.
        memory_bytes: of the machine.

    Raises:
        Conflict: they do not fit; says what is needed, what is free, what holds the rest, and what to do.
    """
    held = held_by(running)
    free = max(0, memory_bytes - sum(held.values()))
    wanted = sum(held_by([*running, *asked]).values()) - sum(held.values())
    if wanted <= free:
        return
    raise Conflict(
        f"{_told(need, len(asked), wanted)}, and of {size(memory_bytes)} {size(free)} are free; {_list(held)}. "
        "Lower the settings that take memory, such as slots and context_tokens, choose smaller weights, or remove a "
        "deployment; what runs is left as it is",
        code="memory_exceeded",
    )


def _told(need: Need, count: int, wanted: int) -> str:
    many = f"{count} replicas need" if count > 1 else "it needs"
    common = count * need.memory_bytes - wanted
    less = [f"less {size(common)} of weights that are there already"] if common else []
    if need.measured:
        return f"{many} {size(wanted)}, as was measured with these settings{''.join(f' ({one})' for one in less)}"
    beside, each = need.memory_bytes - need.computed_bytes, " each" if count > 1 else ""
    parts = [f"{size(need.computed_bytes)}{each} of weights and cache"] if need.computed_bytes else []
    parts += [f"{size(beside)}{each} seen beside them before"] if beside else []
    return f"{many} {size(wanted)} by an estimate ({', '.join([*parts, *less])}; its first load measures it)"


def _list(held: Mapping[str, int]) -> str:
    most_first = sorted(held.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{name} {size(count)}" for name, count in most_first if count]
    return f"the rest is held by {', '.join(told)}" if told else "nothing else holds any"


def size(count: int) -> str:
    """Write bytes for people, in GiB, MiB or KiB."""
    for name, unit in (("GiB", _KIB**3), ("MiB", _KIB**2)):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / _KIB:.0f} KiB"


def fitting(need: Need | None, others: int, memory_bytes: int) -> int | None:
    """Give how many replicas fit beside the bytes that *others* hold; None: nothing is known.

    Replicas of the same weights share what is mapped from their file.
    """
    if need is None or need.memory_bytes <= 0:
        return None
    own = max(1, need.memory_bytes - need.shared_bytes)
    return max(0, 1 + (memory_bytes - others - need.memory_bytes) // own)
