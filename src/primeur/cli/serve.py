"""Run the service in the foreground: what ``primeur up`` does."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvicorn
import uvloop
from rich.console import Console

from primeur.app import WEIGHTS, build_app, open_house
from primeur.cli.declared import read_declared
from primeur.cli.greeting import greet
from primeur.config import Settings
from primeur.core.caller import Caller
from primeur.core.errors import SetupError
from primeur.gateway.express import express_protocol
from primeur.gateway.table import Table
from primeur.governance.rules import digest_key, operator_key
from primeur.walks.add_model import NewVersion, add_model
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
    listener = _listen(settings)
    _tune()
    with contextlib.closing(listener), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, listener))


def _tune() -> None:
    """Set the interpreter up for many short requests."""
    # Everything loaded so far stays for good; looking through it again and again is half of the collector's work.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _serve(settings: Settings, listener: socket.socket) -> None:
    async with open_house(settings) as house:
        founding, link = await _prepare(house, settings)
        stop = asyncio.Event()
        worker = asyncio.create_task(work(house, stop))
        server = _Server(
            uvicorn.Config(
                build_app(house),
                http=express_protocol(house, Table()),
                ws="none",
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=settings.drain_s,
            )
        )
        url = _url(settings.host, listener.getsockname()[1])
        _note_service(settings.data_dir, url)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        _end_on_signals(server)
        greeting = asyncio.create_task(greet(_out, house, url, key=founding.key, link=link))
        try:
            await serving
        finally:
            greeting.cancel()
            for connection in list(server.server_state.connections):
                # The time to finish is over: whoever still reads is hung up on, and what was made is metered.
                connection.cut()  # type: ignore[union-attr] # all are made by `express_protocol`
            (settings.data_dir / "service.json").unlink(missing_ok=True)
            stop.set()
            await worker


class _Server(uvicorn.Server):
    """Leaves signals to us: the first one drains, the second one ends at once."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing."""
        yield


def _end_on_signals(server: uvicorn.Server) -> None:
    def end() -> None:
        if server.should_exit:
            server.force_exit = True
            return
        _out.print("Finishing what is being answered; Ctrl-C again ends at once.")
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for which in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(which, end)


async def _prepare(house: House, settings: Settings) -> tuple[Founding, str]:
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
            await add_model(house, operator, ask, files[change.name])
    applied = await apply(house, operator, document, dry_run=False)
    for name, text in applied.keys.items():
        _out.print(f"Key {name}  {text}", soft_wrap=True, markup=False)
    await recompile(house)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise SetupError(
            f"port {settings.port} on {settings.host} cannot be used ({error.strerror}); choose another with --port"
        ) from error
    return listener


def _url(host: str, port: int) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _note_service(data_dir: Path, url: str) -> None:
    """Tell the command line where the service is."""
    note = data_dir / "service.json"
    note.write_bytes(msgspec.json.encode({"url": url, "pid": os.getpid()}))
