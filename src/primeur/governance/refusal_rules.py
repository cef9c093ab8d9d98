"""Refusals in the event log: the first of its kind at once, the rest of a minute as one number; pure.

Somebody who tries keys by the thousand is told of, and cannot fill the log with it.
"""

from dataclasses import dataclass, field

from primeur.core.events import AccessRefused

_MINUTE_MS = 60_000
_KINDS_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Refused:
    """One kind of refusal: who, from where, at which door, why."""

    actor: str
    organisation_id: str
    address: str
    door: str
    code: str
    reason: str

    def event(self, times: int) -> AccessRefused:
        """What is told of it."""
        return AccessRefused(self.door, self.code, self.reason, times)


_MANY = Refused("unknown", "", "many", "many", "many", "more kinds of refusals in a minute than are told apart")


@dataclass
class Refusals:
    """What was refused in the minute that runs."""

    _since_ms: int = 0
    _times: dict[Refused, int] = field(default_factory=dict)

    def note(self, what: Refused, now_ms: int) -> bool:
        """Count a refusal; whether it is the first of its kind in this minute and must be told of now."""
        if not self._times:
            self._since_ms = now_ms
        if what not in self._times and len(self._times) >= _KINDS_LIMIT:
            what = _MANY
        first = what not in self._times
        self._times[what] = self._times.get(what, -1) + 1
        return first and what is not _MANY

    def due(self, now_ms: int, *, all_of_them: bool = False) -> list[tuple[Refused, int]]:
        """Give what came again since it was told of, with how often, when the minute is over."""
        if not all_of_them and now_ms - self._since_ms < _MINUTE_MS:
            return []
        again = [(what, times) for what, times in self._times.items() if times]
        self._times.clear()
        return again
