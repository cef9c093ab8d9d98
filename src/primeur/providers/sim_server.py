"""A real HTTP server that acts as an Azure OpenAI resource: for tests, demonstrations, benchmarks and the broker.

Both path styles, keys, error bodies, streams and verdicts are Azure's; latency, capacity, outages and broken answers
are set at start and live by ``PUT /sim/behaviour``. ``GET /sim/counters`` tells what it did.
"""

import asyncio
import contextlib
from collections.abc import Callable

from primeur.core.ports import Clock
from primeur.providers.sim_app import SimApp, Sleep
from primeur.providers.sim_behaviour import SimSettings
from primeur.providers.sim_http import Connection


def build_app(settings: SimSettings, clock: Clock, sleep: Sleep = asyncio.sleep) -> SimApp:
    """Make the resource; it listens nowhere until a `SimServer` has it."""
    return SimApp(settings, clock, sleep)


class SimServer:
    """The resource behind a listening socket."""

    def __init__(self, app: SimApp) -> None:
        """*app* answers; its settings say where to listen."""
        self.app = app
        self.port = app.settings.port
        self._open_ones: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None
        app.shut = self._shut

    async def start(self) -> None:
        """Listen; `port` says where.

        Raises:
            OSError: the port is in use.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self.app.answer, self._open_ones), self.app.settings.host, self.port, backlog=2048
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the socket and every connection."""
        if self._reopening is not None:
            self._reopening.cancel()
        self.app.desk.close()
        await self._close()

    async def reopened(self) -> None:
        """Wait until the port that an outage closed is open again."""
        if self._reopening is not None:
            await self._reopening

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            for connection in tuple(self._open_ones):
                connection.close()
            await self._server.wait_closed()
            self._server = None

    def _shut(self, seconds: float) -> None:
        self._reopening = asyncio.get_running_loop().create_task(self._reopen_after(seconds))

    async def _reopen_after(self, seconds: float) -> None:
        await self._close()
        await self.app.sleep(seconds)
        await self.start()


async def serve(settings: SimSettings, clock: Clock, ready: Callable[[int], None] = lambda _port: None) -> None:
    """Serve until cancelled; *ready* is told the port once it listens.

    Raises:
        OSError: the port is in use.
    """
    server = SimServer(build_app(settings, clock))
    await server.start()
    ready(server.port)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.get_running_loop().create_future()
    await server.stop()
