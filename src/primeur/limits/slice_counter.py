"""A counter that lives on slices of a limit which other processes share."""

from typing import NoReturn

from primeur.core.periods import NEVER_MS, span_of
from primeur.limits.names import CONCURRENCY, RESERVED, Name, refuse
from primeur.limits.slices import BUCKET, CALENDAR, FLIGHT, MINUTE, SLICE_LIFE_MS, SLOT_MS, SLOTS, Claim, Grant, Units

# A refusal of the keeper is believed for so long before it is asked again.
REFUSED_MS = 50
_LEAST_LIFE_MS = 100
_IDLE_MOST = 10


class SliceCounter:
    """Implements `primeur.limits.lane.Counter`.

    Attributes:
        left: of the slice; what others may still get is *shared*, what they hold and have not used *outstanding*.
        here: used of the slice since the keeper was told.
        flying: requests in flight that the keeper was told of.
        floor: what the books say, for the keeper that does not know; None when nobody has asked.
    """

    __slots__ = (
        "_back", "_field", "_idle", "_period_ms", "_refused_ms", "_refused_need", "_spent", "_unspent", "_wait_ms",
        "_wish", "floor", "flying", "here", "left", "limit", "name", "outstanding", "shared", "turn_ms",
        "unknown", "way",
    )  # fmt: skip

    def __init__(self, name: Name, limit: int, holder: str) -> None:
        """Start with nothing."""
        self.name, self.limit, self.left, self.here, self.flying = name, limit, 0, 0, 0
        own = {CONCURRENCY: FLIGHT, RESERVED: BUCKET}
        self.way = own.get(name.kind, MINUTE if name.period is None else CALENDAR)
        self.turn_ms = NEVER_MS if self.way == FLIGHT else 0
        self._field = holder if self.way == FLIGHT else ""
        self._period_ms = (0, 0)
        self.shared, self.outstanding, self.unknown = limit, 0, False
        self.floor: int | None = None
        self._spent: dict[str, int] = {}
        self._unspent: dict[str, int] = {}
        self._back: dict[str, int] = {}
        self._wish, self._idle, self._wait_ms = 0, 0, 1000
        self._refused_ms, self._refused_need = 0, 0

    @property
    def key(self) -> str:
        """As all processes name it."""
        return ":".join(part for part in (self.name.scope, self.name.kind, self.name.budget_id) if part)

    @property
    def from_ms(self) -> int:
        """When the period began, UTC milliseconds."""
        return self._period_ms[0]

    def resize(self, limit: int) -> None:
        """The next claim says it; what was granted before stays granted."""
        self.shared += limit - self.limit
        self.limit = limit
        self._refused_ms = 0

    def turn(self, now_ms: int) -> None:
        """The slice has had its time: what is left of it goes back; a new period begins."""
        self._put_away()
        if self.way == CALENDAR:
            self._period_ms = span_of(self.name.period or "total", now_ms)
            self.turn_ms = self._period_ms[1]
            self._field, self.floor, self._refused_ms, self.shared = str(self._period_ms[0]), None, 0, self.limit
        else:
            self.turn_ms, self._field = NEVER_MS, ""

    def correct(self, more: int, at_ms: int) -> None:
        """Take *more*, or give back, for what was taken at *at_ms*."""
        if self.way == MINUTE:
            # Back to a place not later than where it was booked: at worst it counts for a moment longer.
            slot = (at_ms // SLOT_MS) - 1 if more < 0 else (at_ms + SLICE_LIFE_MS) // SLOT_MS
            self._back[str(slot)] = self._back.get(str(slot), 0) - more
        elif self.way == BUCKET:
            self._back[""] = self._back.get("", 0) - more
        elif self.way == FLIGHT or at_ms >= self._period_ms[0]:
            self.left -= more
            self.here += more

    def may_fill(self, need: int, now_ms: int) -> bool:
        """Whether the keeper may have *need*: it has not refused as little a moment ago."""
        return now_ms >= self._refused_ms or need < self._refused_need

    def remains(self) -> int:
        """What is left for everybody, as far as is known here."""
        return max(0, self.shared + self.left)

    def reset_ms(self, now_ms: int) -> int:
        """Milliseconds until everything is there again."""
        if self.way == CALENDAR:
            return max(0, self._period_ms[1] - now_ms)
        return SLOTS * SLOT_MS if self.way == MINUTE else 0

    def refuse(self, need: int, now_ms: int) -> NoReturn:
        """Say no as the keeper did."""
        refuse(self.name, need=need, left=self.remains(), limit=self.limit, wait_ms=self.wait_ms(now_ms))

    def wait_ms(self, now_ms: int) -> int:
        """Milliseconds until what the keeper has refused can be there."""
        waited = now_ms - self._refused_ms + REFUSED_MS
        return max(1, self._wait_ms - max(0, waited))

    # --- what the keeper is told -----------------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether there is something to tell, or a slice that somebody may want back."""
        return bool(self.here or self.left or self._spent or self._unspent or self._back)

    @property
    def is_in_flight(self) -> bool:
        """Whether requests are under way that the keeper must go on counting."""
        return self.way == FLIGHT and self.flying + self.here > 0

    def claim(self, need: int, demand: int) -> Claim:
        """Say everything there is to say, and ask for *need* at least and *demand* or more; the slice goes back.

        A slice that nobody has touched for a while goes back, too.
        """
        if self.here:
            self._idle = 0
        elif self.left > 0:
            self._idle += 1
        self._tell_spent()
        if need:
            self._wish = max(demand, min(2 * self._wish or demand, max(1, self.limit // 4)))
        if need or self._idle > _IDLE_MOST:
            self._put_away()
        if self._idle > _IDLE_MOST:
            self._wish, self._idle = 0, 0
        spent, unspent, back = _taken(self._spent), _taken(self._unspent), _taken(self._back)
        return Claim(
            self.key, self.way, "" if self.way == MINUTE else self._field, self.limit, self._period_ms[1],
            spent, unspent, back, need, max(self._wish, demand) if need else 0, self.floor,
        )  # fmt: skip

    def take(self, grant: Grant, need: int, sent_ms: int, now_ms: int) -> bool:
        """Take what was granted; gives whether it is worth to ask again soon."""
        self.unknown, self.shared, self.outstanding = grant.unknown, grant.left, grant.outstanding
        if not grant.unknown:
            # Told once: a keeper that forgets must ask again, for the books have more by then.
            self.floor = None
        if self.way == CALENDAR and grant.field != self._field:
            # Another period has begun meanwhile; what was granted belongs to the old one.
            self._unspent[grant.field] = self._unspent.get(grant.field, 0) + grant.units
            return True
        if grant.units:
            self.left += grant.units
            if self.way in {MINUTE, BUCKET}:
                self._field, self.turn_ms = grant.field, sent_ms + SLICE_LIFE_MS - _LEAST_LIFE_MS
        if grant.hungry and not need and self.left > 0 and not grant.units:
            self._tell_spent()
            self._put_away()
        if need and not grant.units and not grant.unknown:
            self._wait_ms = grant.wait_ms
            if grant.outstanding > 0:
                return True
            self._refused_ms, self._refused_need = now_ms + REFUSED_MS, need
        return grant.unknown

    def owe(self, units: int) -> None:
        """Tell the keeper of units that were used in this period without any grant."""
        self._back[self._field] = self._back.get(self._field, 0) - units

    def take_back(self, claim: Claim) -> None:
        """The keeper was not reached: what it was told is to be told again."""
        for told, kept in ((claim.spent, self._spent), (claim.unspent, self._unspent), (claim.back, self._back)):
            for place, units in told:
                kept[place] = kept.get(place, 0) + units

    def _tell_spent(self) -> None:
        if self.here:
            self._spent[self._field] = self._spent.get(self._field, 0) + self.here
            self.flying += self.here if self.way == FLIGHT else 0
            self.here = 0

    def _put_away(self) -> None:
        self._tell_spent()
        if self.left:
            self._unspent[self._field] = self._unspent.get(self._field, 0) + self.left
            self.left = 0


def _taken(told: dict[str, int]) -> Units:
    """Give what is to be told, and forget it."""
    found = tuple((place, units) for place, units in told.items() if units)
    told.clear()
    return found
