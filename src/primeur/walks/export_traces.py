"""Send what was answered to an OpenTelemetry collector, as spans and metrics, off the request path."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from primeur.core.errors import PrimeurError
from primeur.core.otlp import Json, write_spans
from primeur.core.usage import UsageEvent
from primeur.walks.house import House

_PERIOD_S = 2.0
_METRICS_PERIOD_S = 15.0
_SERVICE = "primeur"
_AT_ONCE = 200
_MOST = 10_000
_log = logging.getLogger("primeur.traces")


def trace(house: House, events: Iterable[UsageEvent]) -> None:
    """Keep events for the collector, where there is one; of more spans than it takes, the oldest are lost."""
    if house.place.traces_to:
        events = list(events)
        house.board.measured.see(events)
        waiting = house.board.traced
        waiting.extend(events)
        while len(waiting) > _MOST:
            waiting.popleft()


async def export_traces(house: House, stop: asyncio.Event) -> None:
    """Send what waits, every two seconds, until *stop*, and once more then."""
    while house.place.traces_to:
        stopping = stop.is_set()
        while house.board.traced and await send_spans(house, house.board.traced):
            pass
        if stopping:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_PERIOD_S):
                await stop.wait()
    await stop.wait()


async def send_spans(house: House, waiting: deque[UsageEvent]) -> bool:
    """Send one batch; gives whether it was taken. What was not taken waits on."""
    batch = [waiting.popleft() for _ in range(min(_AT_ONCE, len(waiting)))]
    if await _send(house, "traces", write_spans(batch, _SERVICE)):
        return True
    waiting.extendleft(reversed(batch))
    return False


async def export_metrics(house: House, stop: asyncio.Event) -> None:
    """Send every 15 seconds what all requests so far come to, until *stop*, and once more then."""
    while house.place.traces_to:
        stopping = stop.is_set()
        await send_metrics(house)
        if stopping:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_METRICS_PERIOD_S):
                await stop.wait()
    await stop.wait()


async def send_metrics(house: House) -> bool:
    """Send the sums, if there are any; gives whether they were taken. If not, the next ones say it all again."""
    measured = house.board.measured
    if measured.began_ms is None:
        return True
    return await _send(house, "metrics", measured.write(_SERVICE, house.clock.now_ms()))


async def _send(house: House, kind: str, said: Json) -> bool:
    url = f"{house.place.traces_to.rstrip('/')}/v1/{kind}"
    try:
        body = msgspec.json.encode(said)
        fetched = await house.errands.run("POST", url, body, [(b"content-type", b"application/json")])
    except PrimeurError as error:
        _log.warning("the collector %s is not reached (%s); it is tried again", url, error.message)
        return False
    if fetched.status >= 300:
        _log.warning("the collector %s answered %s; it is tried again", url, fetched.status)
    return fetched.status < 300
