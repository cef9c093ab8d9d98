"""Run the service as several processes: a parent that owns engines, stories and rows, and N gateways on one port."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys

import uvloop
from rich.console import Console

from primeur.cli.greeting import greet
from primeur.cli.orders import Orders, write_orders
from primeur.cli.serve import prepare
from primeur.cli.server import listen, note_service
from primeur.config import Settings
from primeur.core.errors import SetupError
from primeur.intercom.office import Office
from primeur.processes import open_office
from primeur.walks.house import House
from primeur.worker import work

_TELL_S = 0.1
_BACK_OFF_S, _BACK_OFF_MOST_S, _STABLE_S = 0.1, 5.0, 10.0
_START_S = 180.0
_LEAVE_S = 5.0
_out = Console(highlight=False)
_log = logging.getLogger("primeur.processes")


def serve_many(settings: Settings) -> None:
    """Run the service until it is told to stop.

    Raises:
        SetupError: port, data folder, database or declaration cannot be used.
    """
    # Somebody else's port must not be shared by mistake, so it is tried alone first.
    listen(settings.host, settings.port).close()
    # Bound and never listening: it keeps the port for the processes that come and go.
    place = listen(settings.host, settings.port, shared=True)
    with contextlib.closing(place), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, place.getsockname()[1]))


async def _serve(settings: Settings, port: int) -> None:
    async with open_office(settings) as (house, office):
        founding, link = await prepare(house, settings)
        stop, ended = asyncio.Event(), asyncio.Event()
        stories = asyncio.create_task(work(house, stop))
        telling = asyncio.create_task(_tell(house, office))
        windows = [_Window(office, f"w{number + 1}", port, settings) for number in range(settings.workers)]
        _end_on_signals(ended, windows)
        keeping = [asyncio.create_task(window.keep()) for window in windows]
        try:
            await _until_ready(office, windows, ended)
            url = note_service(settings, port)
            greeting = asyncio.create_task(greet(_out, house, url, key=founding.key, link=link))
            await ended.wait()
            greeting.cancel()
        finally:
            (settings.data_dir / "service.json").unlink(missing_ok=True)
            for window in windows:
                window.end()
            await asyncio.wait(keeping)
            telling.cancel()
            stop.set()
            await stories


class _Window:
    """One gateway process, started again when it ends by itself."""

    def __init__(self, office: Office, name: str, port: int, settings: Settings) -> None:
        self.name, self.restarts = name, 0
        self._office, self._port, self._settings = office, port, settings
        self._process: asyncio.subprocess.Process | None = None
        self._ending = asyncio.Event()

    async def keep(self) -> None:
        """Keep it running until `end`."""
        pause_s, loop = _BACK_OFF_S, asyncio.get_running_loop()
        while not self._ending.is_set():
            began_s = loop.time()
            status = await self._run()
            if self._ending.is_set():
                return
            self.restarts += 1
            pause_s = _BACK_OFF_S if loop.time() - began_s > _STABLE_S else min(2 * pause_s, _BACK_OFF_MOST_S)
            _log.error(
                "gateway process %s ended with status %s; it is started again in %s s", self.name, status, pause_s
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._ending.wait()

    async def _run(self) -> int:
        ours, theirs = socket.socketpair()
        orders = write_orders(Orders(self.name, theirs.fileno(), self._port))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "primeur", *sys.argv[1:], env=os.environ | orders, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        await self._office.receive(reader, writer, self.name)
        try:
            return await self._wait(self._process)
        finally:
            await self._office.part(self.name)

    async def _wait(self, process: asyncio.subprocess.Process) -> int:
        waiting, ending = asyncio.create_task(process.wait()), asyncio.create_task(self._ending.wait())
        await asyncio.wait([waiting, ending], return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not waiting.done():
            await asyncio.wait([waiting], timeout=self._settings.drain_s + _LEAVE_S)
        if not waiting.done():
            process.kill()
        return await waiting

    def end(self) -> None:
        """Let it finish what it is answering, and end."""
        self._ending.set()
        self._send(signal.SIGTERM)

    def cut(self) -> None:
        """End it at once."""
        self._ending.set()
        self._send(signal.SIGKILL)

    def _send(self, what: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(what)


async def _until_ready(office: Office, windows: list[_Window], ended: asyncio.Event) -> None:
    """Wait until every process listens, or nobody wants it to any more.

    Raises:
        SetupError: one takes too long.
    """
    ready = asyncio.create_task(office.until_ready([window.name for window in windows]))
    unwanted = asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait([ready, unwanted], timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    unwanted.cancel()
    if not done:
        raise SetupError("the gateway processes did not come up; what they said stands above")


async def _tell(house: House, office: Office) -> None:
    """Tell every process how the engines are doing, and the house how many people are being answered."""
    while True:
        launches = house.board.now.launches
        await office.tell_engines({revision_id: house.host.state(revision_id) for revision_id in launches})
        house.board.serving = sum(office.serving.values())
        house.board.elsewhere = office.loads
        await asyncio.sleep(_TELL_S)


def _end_on_signals(ended: asyncio.Event, windows: list[_Window]) -> None:
    def end() -> None:
        if ended.is_set():
            for window in windows:
                window.cut()
            return
        _out.print("Finishing what is being answered; Ctrl-C again ends at once.")
        ended.set()

    loop = asyncio.get_running_loop()
    for which in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(which, end)
