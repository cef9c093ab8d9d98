"""One gateway process of several: answers on the shared port until its parent says, or is gone."""

import asyncio
import contextlib
import os
import signal
import socket

import msgspec
import uvloop

from primeur.cli.orders import Orders
from primeur.cli.server import listen, make_server, tune
from primeur.config import Settings
from primeur.core.scaling import Load
from primeur.intercom.peer import Peer
from primeur.processes import open_window
from primeur.walks.follow_changes import follow_changes, recompile
from primeur.walks.house import House
from primeur.walks.read_loads import loads_here

_COUNT_S = 0.1


def serve_window(settings: Settings, orders: Orders) -> None:
    """Answer until told to stop.

    Raises:
        SetupError: the port or the journal cannot be used.
    """
    # Ctrl-C reaches every process of a terminal; the parent is the one to say what follows from it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = listen(settings.host, orders.port, shared=True)
    tune()
    with contextlib.closing(listener), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, orders, listener))


async def _serve(settings: Settings, orders: Orders, listener: socket.socket) -> None:
    async with open_window(settings, orders.name, orders.socket) as (house, parent, host):
        host.hear(await parent.call("engines"))
        await recompile(house)
        server, stop = make_server(house, settings), asyncio.Event()
        stories = [asyncio.create_task(follow_changes(house, stop)), asyncio.create_task(_count(house, parent))]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, setattr, server, "should_exit", True)
        orphaned = asyncio.create_task(parent.gone.wait())
        try:
            await server.opened.wait()
            await parent.call("ready")
            await asyncio.wait([serving, orphaned], return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                # Nobody keeps limits, engines and books any more: as with one process, the end is at once.
                os._exit(1)
            serving.result()
        finally:
            server.cut_off()
            stop.set()
            for task in (*stories, orphaned):
                task.cancel()
            await asyncio.wait([*stories, orphaned])


async def _count(house: House, parent: Peer) -> None:
    """Tell what is under way, when that has changed: batches wait for people, and replicas follow the load."""
    told: int | None = None
    loads: dict[str, Load] | None = None
    while True:
        found, serving = loads_here(house), max(0, house.board.serving)
        # What did not arrive is told again.
        with contextlib.suppress(OSError):
            if found != loads:
                await parent.call("loads", msgspec.msgpack.encode(found))
                loads = found
            if serving != told:
                await parent.call("serving", serving.to_bytes(8, "little"))
                told = serving
        await asyncio.sleep(_COUNT_S)
