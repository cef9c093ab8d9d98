"""``primeur up``: run the service in the foreground."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import uvicorn
import uvloop
from rich.console import Console

from primeur.app import WEIGHTS, build_app, open_house
from primeur.config import Settings, read_settings
from primeur.core.errors import SetupError
from primeur.walks.check_readiness import check_readiness
from primeur.walks.follow_changes import recompile
from primeur.walks.found_house import Founding, found_house
from primeur.walks.house import House
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
        founding = await found_house(house, weights=WEIGHTS)
        await recompile(house)
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
        greeting = asyncio.create_task(_greet(house, founding, url))
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


async def _greet(house: House, founding: Founding, url: str) -> None:
    """Show progress until everything is up, then the three lines a person needs."""
    with _out.status("Starting engines") as status:
        while waiting := check_readiness(house):
            status.update("; ".join(waiting))
            await asyncio.sleep(0.1)
    for name, deployment in sorted(house.board.now.deployments.items()):
        if deployment.pending:
            _out.print(f"[yellow]{name} is not up:[/] {deployment.pending}", soft_wrap=True)
    key = founding.key or "$PRIMEUR_KEY"
    model = "starter" if "starter" in house.board.now.deployments else "MODEL"
    body = '{"model":"' + model + '","messages":[{"role":"user","content":"Hello!"}]}'
    sign_in = (
        f"{url}/sign-in/{founding.sign_in}" if founding.sign_in else f"{url}/  (primeur sign-in-link makes a link)"
    )
    shown = founding.key or "shown at the first start; `primeur keys create NAME` makes another"
    _out.print(f"Open  {sign_in}", soft_wrap=True)
    _out.print(f"Key   {shown}", soft_wrap=True, markup=False)
    _out.print(
        f"Try   curl {url}/v1/chat/completions -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'",
        soft_wrap=True,
        markup=False,
    )


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
