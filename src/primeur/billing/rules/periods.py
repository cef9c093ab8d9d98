"""Spans of time and the calendar months that are billed, in UTC; pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from primeur.core.errors import BadRequest

DAY_MS = 86_400_000
_NAME = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From a moment (included) to another (not), UTC milliseconds."""

    from_ms: int
    to_ms: int

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.to_ms - self.from_ms

    def within(self, other: "Span") -> "Span | None":
        """Give the part of this span that lies in *other*; None when there is none."""
        first, last = max(self.from_ms, other.from_ms), min(self.to_ms, other.to_ms)
        return Span(first, last) if first < last else None

    def holds(self, at_ms: int) -> bool:
        """Whether a moment lies in it."""
        return self.from_ms <= at_ms < self.to_ms


def month_of(at_ms: int) -> Span:
    """Give the calendar month of a moment."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    first = datetime(at.year, at.month, 1, tzinfo=UTC)
    after = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return Span(_ms(first), _ms(after))


def year_of(at_ms: int) -> Span:
    """Give the calendar year of a moment."""
    year = datetime.fromtimestamp(at_ms / 1000, UTC).year
    return Span(_ms(datetime(year, 1, 1, tzinfo=UTC)), _ms(datetime(year + 1, 1, 1, tzinfo=UTC)))


def month_named(name: str) -> Span:
    """Read a month such as ``2026-11``.

    Raises:
        BadRequest: it is not written so.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadRequest(f"{name!r} is not a month; write it as 2026-11", param="period")
    return month_of(_ms(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)))


def day_named(text: str, param: str) -> int:
    """Read a UTC day such as ``2026-11-30``; gives its first millisecond.

    Raises:
        BadRequest: it is not written so.
    """
    try:
        return _ms(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC))
    except ValueError:
        raise BadRequest(f"{text!r} is not a day; write it as 2026-11-30", param=param) from None


def name_of(month: Span) -> str:
    """Write a month as ``2026-11``."""
    return datetime.fromtimestamp(month.from_ms / 1000, UTC).strftime("%Y-%m")


def day_of(at_ms: int) -> int:
    """Give the first millisecond of a moment's day."""
    return at_ms - at_ms % DAY_MS


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
