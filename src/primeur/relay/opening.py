"""An exchange whose connection is still being opened."""

import asyncio
from collections.abc import Awaitable, Callable

from primeur.core.errors import TargetFailed
from primeur.core.ports import Sink
from primeur.relay.connection import Connection


class Opening:
    """Implements `primeur.core.ports.Line`: the request goes out as soon as there is a connection."""

    __slots__ = ("_closed", "_connection", "_paused", "_task")

    def __init__(self, connect: Callable[[], Awaitable[Connection]], request: bytes, sink: Sink) -> None:
        """Begin to connect; *sink* is told the answer, or that nobody could be reached."""
        self._connection: Connection | None = None
        self._paused = self._closed = False
        self._task = asyncio.get_running_loop().create_task(self._open(connect, request, sink))

    async def _open(self, connect: Callable[[], Awaitable[Connection]], request: bytes, sink: Sink) -> None:
        try:
            connection = await connect()
            if self._closed:
                connection.close()
                return
            connection.start(request, sink)
        except TargetFailed as fault:
            if not self._closed:
                sink.on_fault(fault)
            return
        self._connection = connection
        if self._paused:
            connection.pause()

    def pause(self) -> None:
        """See `Line`."""
        self._paused = True
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        """See `Line`."""
        self._paused = False
        if self._connection is not None:
            self._connection.resume()

    def close(self) -> None:
        """See `Line`; a connection that is still being opened is closed when it is there."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()
