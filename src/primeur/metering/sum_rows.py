"""Usage is summed by hour and by day: merged in the transaction that keeps the requests."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table

from primeur.core.usage import UsageEvent
from primeur.store.bulk import merge_rows
from primeur.store.database import Tx
from primeur.store.schema import usage_days, usage_hours
from primeur.store.schema.metering import SUMMED_BY, SUMS
from primeur.store.usage_sums import DAY_MS, HOUR_MS

_Sums = dict[tuple[Any, ...], list[int]]
_REQUESTS, _FAILED, _REFUSED, _INPUT, _CACHED, _OUTPUT, _REASONING, _IMAGES, _DURATION = range(9)
_COST, _UNPRICED, _UNPRICED_TOKENS = range(9, len(SUMS))


def keep_sums(tx: Tx, events: Sequence[UsageEvent]) -> None:
    """Add requests that have just become rows to the sums of their hour and day."""
    hours, days = sum_events(events)
    _merge(tx, usage_hours, HOUR_MS, hours)
    _merge(tx, usage_days, DAY_MS, days)


def sum_events(events: Sequence[UsageEvent]) -> tuple[_Sums, _Sums]:
    """Sum events by hour and by day: `SUMS` by what they are summed by, the time being a number of hours or days."""
    hours: _Sums = {}
    for event in events:
        usage, cost = event.usage, event.cost_nanos
        key = (
            event.at_ms // HOUR_MS, event.project_id, event.key_id, event.deployment, event.revision_id,
            event.provider, event.currency or "",
        )  # fmt: skip
        sums = hours.get(key)
        if sums is None:
            sums = hours[key] = [0] * len(SUMS)
        sums[_REQUESTS] += 1
        sums[_INPUT] += usage.input_tokens
        sums[_OUTPUT] += usage.output_tokens
        if cost:
            sums[_COST] += cost
        if event.outcome != "completed" or not cost or usage.cached_tokens or usage.reasoning_tokens or event.images:
            _add_rest(sums, event)
        sums[_DURATION] += event.duration_us
    days: _Sums = {}
    for (hour, *names), sums in hours.items():
        known = days.setdefault((hour // 24, *names), [0] * len(SUMS))
        for place, value in enumerate(sums):
            known[place] += value
    return hours, days


def _add_rest(sums: list[int], event: UsageEvent) -> None:
    usage = event.usage
    sums[_FAILED] += event.outcome == "failed"
    sums[_REFUSED] += event.outcome == "refused"
    sums[_CACHED] += min(usage.cached_tokens, usage.input_tokens)
    sums[_REASONING] += usage.reasoning_tokens
    sums[_IMAGES] += event.images
    if event.cost_nanos is None and usage.total_tokens:
        sums[_UNPRICED] += 1
        sums[_UNPRICED_TOKENS] += usage.total_tokens


def _merge(tx: Tx, table: Table, length_ms: int, sums: _Sums) -> None:
    values: list[Any] = []
    # In one order, so that two writers wait for each other and not both for both.
    for (begin, *names), each in sorted(sums.items()):
        values += (begin * length_ms, *names, *each)
    merge_rows(tx, table.name, SUMMED_BY, SUMS, values)
