"""Put a request that got no answer into the request log, without making anybody wait for the disk."""

import asyncio
from dataclasses import dataclass
from typing import Any

from primeur.core.caller import Caller
from primeur.core.errors import HolderBusy, PrimeurError, TargetFailed
from primeur.core.usage import UsageEvent
from primeur.walks.house import House

_BACKLOG_LIMIT = 1000
_backlog: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a request before anything was done for it."""

    request_id: str
    route: str
    at_ms: int
    at_us: int
    address: str


def _passed_over(error: PrimeurError) -> dict[str, Any]:
    if not isinstance(error, HolderBusy):
        return {}
    return {"refusal": error.reason, "right_id": error.right_id, "evidence": error.evidence}


def log_refusal(house: House, caller: Caller, arrival: Arrival, error: PrimeurError, status: int) -> None:
    """Log it; under a flood of refusals the log may miss some, the counters in /metrics do not."""
    if len(_backlog) >= _BACKLOG_LIMIT:
        return
    event = UsageEvent(
        id=arrival.request_id,
        at_ms=arrival.at_ms,
        route=arrival.route.removeprefix("/v1/").split("/", maxsplit=1)[0],
        outcome="failed" if isinstance(error, TargetFailed) else "refused",
        status=status,
        project_id=caller.project_id,
        key_id=caller.key_id,
        duration_us=house.clock.monotonic_us() - arrival.at_us,
        error_code=error.code,
        error_message=error.message,
        address=arrival.address,
        **_passed_over(error),
    )
    task = asyncio.get_running_loop().create_task(house.journal.append(event))
    _backlog.add(task)
    task.add_done_callback(_backlog.discard)
