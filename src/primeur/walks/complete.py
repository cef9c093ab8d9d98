"""Answer one inference request: admit, place, relay, meter."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Served
from primeur.core.ports import Standing
from primeur.walks.house import House


@dataclass(slots=True)
class Completion:
    """An answer on its way.

    Attributes:
        body: the whole answer as JSON; None when it streams.
        events: server-sent events as bytes, each piece one or more whole ``data: ...`` events, ``[DONE]`` included.
            Closing it early is a hang-up: the target is cancelled and what was made is metered.
        overhead_us: microseconds spent before the target was called.
    """

    served: Served
    status: int
    standing: Standing
    overhead_us: int
    body: bytes | None = None
    events: AsyncIterator[bytes] | None = None


async def complete(house: House, caller: Caller, ask: Ask) -> Completion:
    """Answer *ask* for *caller*; the usage event is durable before the last byte leaves.

    Raises:
        UnknownModel, UnsupportedParameter, ContextTooLong, OverLimit, NotPermitted: refused by us.
        TargetFailed: every target that could be tried failed before its first byte.
    """
    raise NotImplementedError
