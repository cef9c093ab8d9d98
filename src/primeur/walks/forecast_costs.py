"""Say what a month and a year will come to, from what each day cost so far."""

from dataclasses import dataclass, replace

from primeur.billing.rules.forecast import Forecast, forecast
from primeur.billing.rules.periods import DAY_MS, Span, day_of, month_of, year_of
from primeur.billing.usage_rows import sum_costs
from primeur.core.caller import Caller
from primeur.governance.rules import visible_project
from primeur.store.database import Tx
from primeur.walks.choose_project import choose_project
from primeur.walks.house import House

LEARNED_DAYS = 56
"""Eight weeks: long enough for each weekday, short enough to follow how use changes."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a currency's costs come to, in nanos, by the end of the month and of the year."""

    currency: str
    month: Forecast
    year: Forecast


async def forecast_costs(house: House, caller: Caller, project: str) -> list[Outlook]:
    """Forecast costs of one project, or of all that *caller* sees; one outlook for each currency.

    Raises:
        NotFound: there is no such project for this caller.
    """
    now_ms = house.clock.now_ms()
    today, year = day_of(now_ms), year_of(now_ms)
    first = min(year.from_ms, today - LEARNED_DAYS * DAY_MS)

    def read(tx: Tx) -> dict[str, dict[int, int]]:
        only = choose_project(tx, caller, project).id if project else visible_project(caller)
        return sum_costs(tx, Span(first, now_ms + 1), only)

    days = await house.store.read(read)
    return [
        Outlook(currency, _end(by_day, month_of(now_ms), today), _end(by_day, year, today))
        for currency, by_day in sorted(days.items())
    ]


def _end(by_day: dict[int, int], period: Span, today: int) -> Forecast:
    """Whole days teach; today is still to come, but no less than it has cost already."""
    learned_from = max(min(by_day), today - LEARNED_DAYS * DAY_MS)
    past = [by_day.get(day, 0) for day in range(learned_from, today, DAY_MS)]
    known = sum(nanos for day, nanos in by_day.items() if period.from_ms <= day < today)
    now = known + by_day.get(today, 0)
    found = forecast(past, known, (period.to_ms - today) // DAY_MS)
    low = None if found.low is None else max(found.low, now)
    high = None if found.high is None else max(found.high, now)
    return replace(found, so_far=now, expected=max(found.expected, now), low=low, high=high)
