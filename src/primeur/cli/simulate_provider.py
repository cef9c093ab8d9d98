"""``primeur simulate provider``: a simulated Azure OpenAI resource to try deployments, limits and rights on."""

import os
from typing import Annotated

import msgspec
import typer
import uvloop

from primeur.core.errors import SetupError
from primeur.providers.sim_behaviour import SimSettings
from primeur.providers.sim_server import serve
from primeur.walks.read_secrets import read_secrets


def simulate_provider(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8090,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    key: Annotated[str | None, typer.Option(help="The key to ask for: env:NAME or file:PATH.")] = None,
    deployment: Annotated[list[str] | None, typer.Option(help="A name to answer to; every name when left out.")] = None,
    capacity: Annotated[float | None, typer.Option(help="Tokens a minute before 429 is answered.")] = None,
    burst_s: Annotated[float, typer.Option(help="Seconds of capacity that may be used at once.")] = 10,
    first_token_ms: Annotated[float, typer.Option(help="Milliseconds to the first token.")] = 0,
    tokens_per_s: Annotated[float, typer.Option(help="Pace of one answer; 0 is as fast as can be.")] = 0,
    output_tokens: Annotated[int, typer.Option(help="Length of an answer whose caller sets no maximum.")] = 32,
    offer: Annotated[str, typer.Option(help="What is said to offers: accept, decline, counter, waive, silence.")] = (
        "accept"
    ),
    offer_units: Annotated[int | None, typer.Option(help="The most units accepted of one offer.")] = None,
    offer_after_s: Annotated[float, typer.Option(help="Seconds before an offer is answered.")] = 0,
    offer_secret: Annotated[
        str | None, typer.Option(help="The webhook's secret that notices must be signed with: env:NAME or file:PATH.")
    ] = None,
) -> None:
    """Act as an Azure OpenAI resource until Ctrl-C; PUT /sim/behaviour changes how it behaves meanwhile."""
    behaviour = {
        "capacity_tokens_per_minute": capacity,
        "burst_s": burst_s,
        "first_token_ms": first_token_ms,
        "tokens_per_s": tokens_per_s,
        "output_tokens": output_tokens,
        "offer": offer,
        "offer_units": offer_units,
        "offer_after_s": offer_after_s,
    }
    secrets = read_secrets({"key": key, "offer_secret": offer_secret}, ("key", "offer_secret"))
    wanted = {"host": host, "port": port, "deployments": deployment or (), "behaviour": behaviour, **secrets}
    uvloop.run(_serve(_settings(wanted)))


def _settings(wanted: dict[str, object]) -> SimSettings:
    try:
        return msgspec.convert(wanted, SimSettings)
    except msgspec.ValidationError as error:
        raise SetupError(f"simulate provider: {error}") from None


async def _serve(settings: SimSettings) -> None:
    # The whole program is loaded only where a part of it runs; every other command is quicker without it.
    from primeur.machine import SystemClock  # noqa: PLC0415

    def listening(port: int) -> None:
        typer.echo(f"Listens at http://{settings.host}:{port} as an Azure OpenAI resource; Ctrl-C ends it.")

    try:
        await serve(settings, SystemClock(), listening)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        message = f"cannot listen on {settings.host}:{settings.port} ({why}); choose another --port"
        raise SetupError(message) from None
