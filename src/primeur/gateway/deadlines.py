"""Deadlines of connections: one number for each, looked at once a second for all; no timers are made for a request."""

import asyncio
from typing import Any

_LOOK_S = 1.0


class Watch:
    """Ends what is past its time, on all connections of one server."""

    def __init__(self) -> None:
        """Look at nothing yet."""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, loop: asyncio.AbstractEventLoop, connections: set[Any]) -> None:
        """Look every second, for as long as there are connections."""
        if self._timer is None:
            self._timer = loop.call_later(_LOOK_S, self._look, loop, connections)

    def _look(self, loop: asyncio.AbstractEventLoop, connections: set[Any]) -> None:
        self._timer = None
        now_s = loop.time()
        for connection in [one for one in connections if one.due_s < now_s]:
            connection.overdue()
        if connections:
            self.begin(loop, connections)
