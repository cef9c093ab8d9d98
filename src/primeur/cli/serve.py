"""Run the service in the foreground: what ``primeur up`` does."""

import asyncio
import contextlib
import signal
import socket
from pathlib import Path

import uvloop
from rich.console import Console

from primeur.app import WEIGHTS, open_house
from primeur.cli.declared import read_declared
from primeur.cli.greeting import greet
from primeur.cli.server import Server, listen, make_server, note_service, tune
from primeur.config import Settings
from primeur.core.caller import Caller
from primeur.governance.rules import digest_key, operator_key
from primeur.walks.add_model import NewVersion, add_weights
from primeur.walks.apply import apply
from primeur.walks.follow_changes import recompile
from primeur.walks.found_house import Founding, found_house
from primeur.walks.house import House
from primeur.walks.sign_in import make_sign_in_link
from primeur.walks.write_usage import write_what_is_left
from primeur.worker import work

_out = Console(highlight=False)


def serve(settings: Settings) -> None:
    """Run the service until it is told to stop.

    Raises:
        SetupError: port, data folder, database or declaration cannot be used.
    """
    listener = listen(settings.host, settings.port)
    tune()
    with contextlib.closing(listener), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    async with open_house(settings) as house:
        founding, link = await prepare(house, settings)
        stop = asyncio.Event()
        worker = asyncio.create_task(work(house, stop))
        server = make_server(house, settings)
        url = note_service(settings, listener.getsockname()[1])
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        _end_on_signals(server)
        greeting = asyncio.create_task(greet(_out, house, url, key=founding.key, link=link))
        try:
            await serving
        finally:
            greeting.cancel()
            server.cut_off()
            (settings.data_dir / "service.json").unlink(missing_ok=True)
            stop.set()
            await worker


def _end_on_signals(server: Server) -> None:
    def end() -> None:
        if server.should_exit:
            server.force_exit = True
            return
        _out.print("Finishing what is being answered; Ctrl-C again ends at once.")
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for which in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(which, end)


async def prepare(house: House, settings: Settings) -> tuple[Founding, str]:
    """Found the house or find it again, make what is declared so, and make a sign-in link."""
    founding = await found_house(house, weights=WEIGHTS)
    # What the last process answered must be in the books before anything is counted on from them.
    await write_what_is_left(house)
    await recompile(house)
    operator = house.board.now.callers[digest_key(operator_key(house.place.pepper), house.place.pepper)]
    if settings.declared is not None:
        await _make_so(house, operator, settings.declared)
    return founding, founding.sign_in or await make_sign_in_link(house, operator)


async def _make_so(house: House, operator: Caller, declared: Path) -> None:
    document, files = await asyncio.to_thread(read_declared, declared)
    for change in (await apply(house, operator, document, dry_run=True)).changes:
        if change.noun == "models" and change.name in files:
            told = document["models"][change.name]
            ask = NewVersion(change.name, told.get("licence"), told.get("origin"), told["sha256"])
            await add_weights(house, operator, ask, files[change.name])
    applied = await apply(house, operator, document, dry_run=False)
    for name, text in applied.keys.items():
        _out.print(f"Key {name}  {text}", soft_wrap=True, markup=False)
    await recompile(house)
