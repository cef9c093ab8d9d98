"""Send what was answered to an OpenTelemetry collector, as spans, off the request path."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

import msgspec

from primeur.core.errors import PrimeurError
from primeur.core.otlp import write_spans
from primeur.core.usage import UsageEvent
from primeur.walks.house import House

_PERIOD_S = 2.0
_AT_ONCE = 200
_MOST = 10_000
_log = logging.getLogger("primeur.traces")


def trace(house: House, events: Iterable[UsageEvent]) -> None:
    """Keep events for the collector, where there is one; of more than it takes, the oldest are lost."""
    if house.place.traces_to:
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
        try:
            async with asyncio.timeout(_PERIOD_S):
                await stop.wait()
        except TimeoutError:
            continue
    await stop.wait()


async def send_spans(house: House, waiting: deque[UsageEvent]) -> bool:
    """Send one batch; gives whether it was taken. What was not taken waits on."""
    batch = [waiting.popleft() for _ in range(min(_AT_ONCE, len(waiting)))]
    url = house.place.traces_to.rstrip("/") + "/v1/traces"
    body = msgspec.json.encode(write_spans(batch, "primeur"))
    try:
        fetched = await house.errands.run("POST", url, body, [(b"content-type", b"application/json")])
    except PrimeurError as error:
        _log.warning("the collector %s is not reached (%s); spans wait", url, error.message)
    else:
        if fetched.status < 300:
            return True
        _log.warning("the collector %s answered %s; spans wait", url, fetched.status)
    waiting.extendleft(reversed(batch))
    return False
