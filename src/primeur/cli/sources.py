"""``primeur sources``: which providers may serve a deployment, and from what."""

from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, print_json, print_list, say

commands = typer.Typer(help="Sources: which providers may serve a deployment, and from what.")
Deployment = Annotated[str, typer.Argument(help="Name of the deployment.")]
Provider = Annotated[str, typer.Argument(help="Name of the provider, or of an engine that a revision runs on.")]


@commands.command("list")
def list_sources(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List sources."""
    with connect(data_dir) as api:
        found = api.get("sources")["data"]
    names = ("deployment", "provider", "upstream_model", "sku", "zone", "tokens_per_minute", "data_policy")
    columns = {name.replace("_", " "): lambda each, name=name: each[name] for name in names}
    print_list(found, columns, as_json=as_json, nothing="Each deployment is served by its revisions alone.")


@commands.command("set")
def set_source(
    deployment: Deployment,
    provider: Provider,
    upstream_model: Annotated[str | None, typer.Option(help="What to ask for there, beside the revisions.")] = None,
    sku: Annotated[str, typer.Option(help="Product of the provider's sheet.")] = "",
    zone: Annotated[str, typer.Option(help="Where it is.")] = "",
    tokens_per_minute: Annotated[int | None, typer.Option(min=1, help="This deployment's capacity there.")] = None,
    data_policy: Annotated[str | None, typer.Option(help="What requests ask of whoever serves them.")] = None,
    patience_ms: Annotated[int | None, typer.Option(min=1, help="How long requests can wait for their answer.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let a provider serve a deployment, or say from what it does."""
    ask = {
        "upstream_model": upstream_model, "sku": sku, "zone": zone, "tokens_per_minute": tokens_per_minute,
        "data_policy": data_policy, "patience_ms": patience_ms,
    }  # fmt: skip
    with connect(data_dir) as api:
        made = api.put(_path(deployment, provider), ask)
    if as_json:
        print_json(made)
    else:
        say(f"{provider} may serve {deployment}.")


@commands.command("remove")
def remove_source(
    deployment: Deployment, provider: Provider, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Let a provider serve a deployment no more, beyond its revisions."""
    with connect(data_dir) as api:
        gone = api.delete(_path(deployment, provider))
    if as_json:
        print_json(gone)
    else:
        say(f"{provider} serves {deployment} no more.")


def _path(deployment: str, provider: str) -> str:
    return f"{one('sources', deployment)}/{one('', provider).removeprefix('/')}"
