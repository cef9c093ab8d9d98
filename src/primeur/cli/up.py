"""``primeur up``: run the service in the foreground."""

import asyncio
import contextlib
import os
import signal
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
import uvicorn
import uvloop
from rich.console import Console

from primeur.app import WEIGHTS, build_app, open_house
from primeur.cli.greeting import greet
from primeur.config import Settings, read_settings
from primeur.core.errors import SetupError
from primeur.governance.rules import digest_key, operator_key
from primeur.walks.apply import apply
from primeur.walks.follow_changes import recompile
from primeur.walks.found_house import Founding, found_house
from primeur.walks.house import House
from primeur.walks.sign_in import make_sign_in_link
from primeur.worker import work

_out = Console(highlight=False)


def up(
    data_dir: Annotated[Path | None, typer.Option(help="Folder of everything that is remembered.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    config: Annotated[Path | None, typer.Option(help="A primeur.toml to apply at start.")] = None,
    database: Annotated[str | None, typer.Option(help="SQLAlchemy URL; SQLite in the data folder by default.")] = None,
    drain_s: Annotated[int, typer.Option(min=0, help="Seconds that running answers are given at the end.")] = 30,
) -> None:
    """Start the service: endpoint, console and engines, on one port, until Ctrl-C."""
    settings = read_settings(
        data_dir=data_dir, host=host, port=port, database=database, declared=config, drain_s=drain_s
    )
    # Whatever is written from here on is for this user's eyes only.
    os.umask(0o077)
    listener = _listen(settings)
    with contextlib.closing(listener), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    async with open_house(settings) as house:
        founding, link = await _prepare(house, settings)
        stop = asyncio.Event()
        worker = asyncio.create_task(work(house, stop))
        server = _Server(
            uvicorn.Config(
                build_app(house),
                http="httptools",
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
    await recompile(house)
    operator = house.board.now.callers[digest_key(operator_key(house.place.pepper), house.place.pepper)]
    if settings.declared is not None:
        applied = await apply(house, operator, _read_toml(settings.declared), dry_run=False)
        for name, text in applied.keys.items():
            _out.print(f"Key {name}  {text}", soft_wrap=True, markup=False)
        await recompile(house)
    return founding, founding.sign_in or await make_sign_in_link(house, operator)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise SetupError(f"{path} cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} is not TOML: {error}") from error


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
