"""Place one request under a right: the holder first, else one reason; wait, go on, or say the original fault."""

from collections.abc import Mapping, Sequence

from primeur.broker.headroom import Evidence
from primeur.broker.placement import Candidate, Need, Outcome, Placement, Preference, Reason, Sharing, Shortlist
from primeur.broker.rights import Right
from primeur.core.chat import Ask, Placed, Target
from primeur.core.errors import HolderBusy, PrimeurError, TargetBusy, TargetFailed
from primeur.metering.counting import estimate_tokens

PATIENCE_MS = 10_000
_SENDS_MOST = 3
_PROBE_US = 1_000_000
_SHORTLISTS_MOST = 64
_IMAGE = b'"image_url"'


class Placer:
    """Who may serve one deployment, and who is asked first; compiled once per snapshot.

    Args:
        candidates: by provider.
        preference: the holder, and while it must be asked first; monotonic microseconds.
    """

    def __init__(
        self, right: Right, candidates: Mapping[str, Candidate], preference: Preference, need: Need, patience_ms: int
    ) -> None:
        """Apply no filter yet: each kind of request gets its shortlist when the first one comes."""
        self.right, self.patience_ms = right, patience_ms
        self._candidates, self._preference, self._need = candidates, preference, need
        self._shortlists: dict[tuple[frozenset[str], str, bool], Shortlist] = {}

    def seat(self, ask: Ask, targets: Sequence[Target]) -> "Seat":
        """Begin to place *ask* over *targets*, those that can honour it.

        Raises:
            NotPermitted: the hard filters leave nobody; names each and whom it took out.
        """
        # Several revisions of one provider share its capacity; the first in their order stands for it.
        able: dict[str, Target] = {}
        for target in targets:
            able.setdefault(target.provider, target)
        return Seat(self, ask, able, self._shortlist(ask, frozenset(able)))

    def _shortlist(self, ask: Ask, able: frozenset[str]) -> Shortlist:
        said, sees = ask.sharing or Sharing.SPILL, _IMAGE in ask.body
        key = (able, said, sees)
        found = self._shortlists.get(key)
        if found is None:
            if len(self._shortlists) >= _SHORTLISTS_MOST:
                self._shortlists.clear()
            modalities = frozenset({"text", "image"} if sees else {"text"})
            need = Need(self._need.zones, modalities, self._need.data_policy, self._need.exclusive_to, Sharing(said))
            left = [self._candidates[name] for name in sorted(able)]
            found = self._shortlists[key] = Shortlist(need, left, self._preference)
        return found


class Seat:
    """One request on its way to whoever serves it; whoever begins it must `leave` it."""

    def __init__(self, placer: Placer, ask: Ask, able: Mapping[str, Target], shortlist: Shortlist) -> None:
        """Sit nowhere yet."""
        self._placer, self._ask, self._able, self._shortlist = placer, ask, able, shortlist
        self._tokens = estimate_tokens(len(ask.body))
        self._at: Candidate | None = None
        self._original: PrimeurError | None = None
        self._sends = 0
        self.placed = Placed(placer.right.id, "", None)

    def next(self, now_us: int) -> Target | int:
        """Give who is to be asked now, or how many milliseconds to wait before that is known.

        Raises:
            HolderBusy: nobody can serve in time, and nobody failed; says when to come back.
            PrimeurError: the original fault, when whoever was asked instead failed too.
        """
        slack_us = self._placer.patience_ms * 1000 - (now_us - self._ask.arrived_us)
        found = self._shortlist.place(now_us, self._ask.id, self._tokens, max(0, slack_us))
        if found.outcome is Outcome.WAIT:
            return found.retry_after_ms
        if found.outcome is Outcome.REFUSE or found.target is None or self._sends >= _SENDS_MOST:
            self.leave(now_us, None)
            raise self._original or self._busy(found)
        self._sends += 1
        self._at = found.target
        if found.reason is not None and self._original is None:
            self._original = self._busy(found)
        evidence = "" if found.evidence is None else in_words(found.evidence)
        self.placed = Placed(self._placer.right.id, found.granted, found.reason, evidence)
        return self._able[found.target.provider]

    def failed(self, fault: TargetFailed, now_us: int) -> None:
        """Whoever was asked did not answer: it is left alone for as long as it said, or until it is probed again."""
        assert self._at is not None  # noqa: S101
        room = self._at.headroom
        room.drop(now_us, self._ask.id)
        if isinstance(fault, TargetBusy):
            room.close(now_us + fault.retry_after_ms * 1000, Reason.THROTTLED)
        else:
            room.close(now_us + _PROBE_US, Reason.OUTAGE)
        # The first fault is the one to tell: it is about the target that should have answered.
        self._original = self._original or fault

    def leave(self, now_us: int, output_tokens: int | None) -> None:
        """Give the place back; a whole answer's length is learned from, None is no answer."""
        if self._at is None:
            return
        if output_tokens is None:
            self._at.headroom.drop(now_us, self._ask.id)
        else:
            self._at.headroom.settle(now_us, self._ask.id, output_tokens)
        self._at = None

    def _busy(self, found: Placement) -> HolderBusy:
        evidence = found.evidence or Evidence()
        wait_ms = found.retry_after_ms or evidence.retry_after_ms or 1000
        holder, reason = self._placer.right.holder, found.reason or Reason.NO_HEADROOM
        return HolderBusy(
            f"{holder} cannot serve this request in time ({reason}); come back in {wait_ms} ms",
            retry_after_ms=wait_ms, reason=reason, evidence=in_words(evidence), right_id=self._placer.right.id,
        )  # fmt: skip


def in_words(evidence: Evidence) -> str:
    """Write evidence for a header and the log: ``in_flight_work=812 needed_work=300 limit_work=1000``."""
    if evidence.detail and not evidence.limit_work:
        return evidence.detail
    parts = [f"{name}={round(value)}" for name, value in evidence._asdict().items() if not isinstance(value, str)]
    return " ".join(parts)
