"""``primeur up``: the options of the service; `primeur.cli.serve` runs it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from primeur.cli.orders import worker_orders
from primeur.config import WORKERS_MOST, read_settings


def up(
    data_dir: Annotated[Path | None, typer.Option(help="Folder of everything that is remembered.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    config: Annotated[Path | None, typer.Option(help="A primeur.toml to apply at start.")] = None,
    database: Annotated[str | None, typer.Option(help="SQLAlchemy URL; SQLite in the data folder by default.")] = None,
    egress: Annotated[
        list[str] | None,
        typer.Option(help="Host, address or network, with :port or without, that may be reached; or only-listed."),
    ] = None,
    trusted_proxies: Annotated[
        list[str] | None, typer.Option(help="Address or network of a proxy whose x-forwarded-for is believed.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="PEM file of the certificate chain; serves https.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of the certificate's key.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=WORKERS_MOST, help="Gateway processes that share the port.")
    ] = None,
    valkey: Annotated[
        str | None, typer.Option(help="Valkey or Redis that keeps limits for several services: redis://HOST:PORT/0.")
    ] = None,
    limits_when_lost: Annotated[
        str | None, typer.Option(help="Without Valkey: closed (nothing limited passes) or share (one part in N).")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Where people reach this house: https://ai.example.org; for sign-in.")
    ] = None,
    drain_s: Annotated[int, typer.Option(min=0, help="Seconds that running answers are given at the end.")] = 30,
) -> None:
    """Start the service: endpoint, console and engines, on one port, until Ctrl-C."""
    settings = read_settings(
        data_dir=data_dir,
        host=host,
        port=port,
        database=database,
        declared=config,
        drain_s=drain_s,
        egress=egress,
        trusted_proxies=trusted_proxies,
        tls_cert=tls_cert,
        tls_key=tls_key,
        workers=workers,
        valkey=valkey,
        limits_when_lost=limits_when_lost,
        public_url=public_url,
    )
    # Whatever is written from here on is for this user's eyes only.
    os.umask(0o077)
    # The whole program is loaded only where it runs; every other command is quicker without it.
    orders = worker_orders(os.environ)
    if orders is not None:
        from primeur.cli.serve_window import serve_window  # noqa: PLC0415

        serve_window(settings, orders)
    elif settings.workers > 1:
        from primeur.cli.serve_many import serve_many  # noqa: PLC0415

        serve_many(settings)
    else:
        from primeur.cli.serve import serve  # noqa: PLC0415

        serve(settings)
