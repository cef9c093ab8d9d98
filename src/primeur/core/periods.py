"""Days and months by the UTC calendar, as numbers that can be compared; pure."""

from datetime import UTC, datetime

from primeur.core.caller import Period

DAY_MS = 86_400_000
NEVER_MS = 1 << 62


def span_of(period: Period, now_ms: int) -> tuple[int, int]:
    """Give the first millisecond of the period that *now_ms* lies in, and the first one after it."""
    if period == "day":
        start = now_ms - now_ms % DAY_MS
        return start, start + DAY_MS
    if period == "total":
        return 0, NEVER_MS
    here = datetime.fromtimestamp(now_ms / 1000, UTC)
    year, month = (here.year + 1, 1) if here.month == 12 else (here.year, here.month + 1)
    return _ms(here.year, here.month), _ms(year, month)


def _ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
