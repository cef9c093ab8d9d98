"""Who serves one request: hard filters first, then the holder's headroom, and one reason if it is another."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from primeur.broker.headroom import Evidence, Headroom
from primeur.core.errors import NotPermitted

_FOREVER_US = 1 << 62
_ASK_AGAIN_MS = 1_000


class Reason(StrEnum):
    """Why the holder did not serve."""

    NO_HEADROOM = "NO_HEADROOM"  # its work in flight leaves no room
    THROTTLED = "THROTTLED"  # it answered 429 and its retry-after is longer than the slack
    SLO_BREACH = "SLO_BREACH"  # it has room, but would answer later than the request can wait
    OUTAGE = "OUTAGE"  # it does not answer
    UNSUPPORTED = "UNSUPPORTED"  # a hard filter rules it out
    RIGHT_INACTIVE = "RIGHT_INACTIVE"  # no right in force covers this request


class Sharing(StrEnum):
    """What the caller asks for."""

    DEDICATED = "dedicated"  # the holder only: wait, or 429
    SPILL = "spill"  # the holder first
    SHARED = "shared"  # anyone but the holder, if there is somebody else


class Outcome(StrEnum):
    """What to do with the request now."""

    SERVE = "serve"
    WAIT = "wait"  # ask again at `retry_after_ms`
    REFUSE = "refuse"  # 429 with retry-after


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target that could serve, with what the hard filters look at."""

    provider: str
    headroom: Headroom
    zone: str = ""
    modalities: frozenset[str] = frozenset({"text"})
    data_policies: frozenset[str] = frozenset()
    price_nanos: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """What one kind of request must have; requests of the same kind share a `Shortlist`.

    Attributes:
        zones: where it may be served; None is anywhere.
        exclusive_to: the only provider that may ever serve it (a hard term).
        data_policy: must be among the candidate's.
    """

    zones: frozenset[str] | None = None
    modalities: frozenset[str] = frozenset({"text"})
    data_policy: str | None = None
    exclusive_to: str | None = None
    sharing: Sharing = Sharing.SPILL


class Placement(NamedTuple):
    """A decision.

    Attributes:
        target: who serves; None while waiting or when refused.
        reason: why it is not the holder; None exactly when it is.
        granted: what the caller gets of what it asked for.
    """

    outcome: Outcome
    target: Candidate | None
    reason: Reason | None = None
    evidence: Evidence | None = None
    granted: Sharing = Sharing.SPILL
    retry_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Preference:
    """A right as the hot path sees it: the holder, and when it must be asked first (monotonic microseconds)."""

    holder: str
    from_us: int = 0
    until_us: int = _FOREVER_US


def _refused_by(candidate: Candidate, need: Need) -> str | None:
    if need.zones is not None and candidate.zone not in need.zones:
        return "zone"
    if need.exclusive_to is not None and candidate.provider != need.exclusive_to:
        return "exclusivity"
    if need.data_policy is not None and need.data_policy not in candidate.data_policies:
        return "data policy"
    if not need.modalities <= candidate.modalities:
        return "modality"
    return None


class Shortlist:
    """The candidates that may serve one kind of request, the holder apart and the others by price."""

    __slots__ = ("_anyone", "_barred", "_dedicated", "_from_us", "_holder", "_others", "_served", "_until_us", "need")

    def __init__(self, need: Need, candidates: Sequence[Candidate], preference: Preference) -> None:
        """Apply the hard filters.

        Raises:
            NotPermitted: nobody is left; names each filter and whom it took out.
        """
        self.need = need
        barred = {candidate.provider: _refused_by(candidate, need) for candidate in candidates}
        left = [candidate for candidate in candidates if barred[candidate.provider] is None]
        if not left:
            raise NotPermitted(_who_emptied(barred), code="no_candidate")
        # A hard term names its provider by itself; it needs no right in force.
        first = need.exclusive_to or preference.holder
        self._holder = next((candidate for candidate in left if candidate.provider == first), None)
        self._barred = barred.get(first) or "not among the candidates"
        self._anyone = tuple(sorted(left, key=lambda candidate: (candidate.price_nanos, candidate.provider)))
        self._others = tuple(candidate for candidate in self._anyone if candidate is not self._holder)
        self._from_us, self._until_us = preference.from_us, preference.until_us
        if need.exclusive_to is not None:
            self._from_us, self._until_us = 0, _FOREVER_US
        elif need.sharing is Sharing.SHARED and self._others:
            self._until_us = self._from_us  # The caller waives the preference; nothing hard changes.
        self._dedicated = need.sharing is Sharing.DEDICATED or need.exclusive_to is not None
        granted = Sharing.DEDICATED if self._dedicated else Sharing.SPILL
        self._served = Placement(Outcome.SERVE, self._holder, granted=granted)

    def place(self, now_us: int, request: int | str, input_tokens: int, slack_us: int) -> Placement:
        """Decide who serves, and reserve room there.

        Args:
            now_us: monotonic microseconds.
            slack_us: how long the request can wait for its answer to be done.
        """
        holder = self._holder
        if holder is not None and self._from_us <= now_us < self._until_us:
            if holder.headroom.take(now_us, request, input_tokens, slack_us):
                return self._served
            reason, evidence = _why(holder.headroom, now_us, input_tokens, slack_us)
            if (self._dedicated or reason is Reason.THROTTLED) and evidence.retry_after_ms * 1000 < slack_us:
                wait_ms = evidence.retry_after_ms
                return Placement(Outcome.WAIT, None, None, evidence, self.need.sharing, wait_ms)
        elif self._from_us <= now_us < self._until_us:
            reason, evidence = Reason.UNSUPPORTED, Evidence(detail=self._barred)
        else:
            asked = self.need.sharing is Sharing.SHARED
            detail = "the caller asked for shared" if asked else "no right in force covers this request"
            reason, evidence = Reason.RIGHT_INACTIVE, Evidence(detail=detail)
        if not self._dedicated:
            # Without a right in force the holder is one among many; a shared request leaves it out.
            unbound = reason is Reason.RIGHT_INACTIVE and self.need.sharing is not Sharing.SHARED
            for candidate in self._anyone if unbound else self._others:
                if candidate.headroom.take(now_us, request, input_tokens, slack_us):
                    if candidate is holder:
                        return self._served
                    return Placement(Outcome.SERVE, candidate, reason, evidence, Sharing.SHARED)
        return self._refuse(reason, evidence, now_us, input_tokens, slack_us)

    def _refuse(self, reason: Reason, evidence: Evidence, now_us: int, input_tokens: int, slack_us: int) -> Placement:
        """Nobody can serve now: say when the first of those who may will."""
        others = () if self._dedicated else self._others
        waits = [other.headroom.evidence(now_us, input_tokens, slack_us).retry_after_ms for other in others]
        waits.append(evidence.retry_after_ms or _ASK_AGAIN_MS)
        return Placement(Outcome.REFUSE, None, reason, evidence, self.need.sharing, min(waits))


def _why(room: Headroom, now_us: int, input_tokens: int, slack_us: int) -> tuple[Reason, Evidence]:
    """Name the one reason why a provider did not take a request, and measure it."""
    evidence = room.evidence(now_us, input_tokens, slack_us)
    if now_us < room.closed_until_us:
        return Reason(room.closed_by), evidence
    return (Reason.SLO_BREACH if slack_us < room.window_us else Reason.NO_HEADROOM), evidence


def _who_emptied(barred: dict[str, str | None]) -> str:
    if not barred:
        return "no provider offers this deployment; add one to it"
    told = "; ".join(f"{why} took out {name}" for name, why in sorted(barred.items()))
    return f"no provider may serve this request: {told}; relax the request or add a provider that fits"
