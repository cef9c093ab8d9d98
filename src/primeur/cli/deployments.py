"""``primeur deployments``: the names that clients call."""

from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.deployment_logs import add_logs
from primeur.cli.deployment_metrics import read_metrics, say_metrics
from primeur.cli.deployment_terms import Kind, ReservedTpm, UpgradeWord, add_terms, read_terms, say_terms
from primeur.cli.roll_outs import add_roll_outs, read_policy, read_shadow
from primeur.cli.scaling import add_scaling, say_scaling
from primeur.cli.show import AsJson, DataDir, Settings, moment, print_json, print_list, print_table, read_settings, say

commands = typer.Typer(help="Deployments: the names that clients call.")
add_roll_outs(commands)
add_terms(commands)
add_scaling(commands)
add_logs(commands)
Name = Annotated[str, typer.Argument(help="Name, id or alias of the deployment.")]


@commands.command("list")
def list_deployments(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List deployments and how they are doing."""
    with connect(data_dir) as api:
        found = api.get("deployments")["data"]
    print_list(
        found, COLUMNS, as_json=as_json,
        nothing="There are no deployments; `primeur deployments create NAME --model MODEL` makes one.",
    )  # fmt: skip


@commands.command("show")
def show_deployment(
    name: Name,
    hours: Annotated[int, typer.Option(min=1, max=744, help="How far back its metrics go.")] = 24,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show a deployment, its revisions and what each of them did."""
    with connect(data_dir) as api:
        found = api.get(one("deployments", name))
        metrics = read_metrics(api, name, hours)
    if as_json:
        print_json(found | {"metrics": metrics})
        return
    print_table([found], COLUMNS)
    say_terms(found)
    columns = {
        "revision": lambda each: each["number"],
        "id": lambda each: each["id"],
        "share": lambda each: each["share"],
        "runs": _runs,
        "settings": lambda each: ", ".join(f"{name}={value}" for name, value in each["settings"].items()),
        "replicas": _replicas,
        "in flight": lambda each: each["in_flight"],
        "queue": lambda each: each["queue"],
        "scaled": lambda each: say_scaling(each["scaling"]),
        "state": lambda each: " ".join(part for part in (each["phase"], each["detail"]) if part),
        "made": lambda each: moment(each["created_ms"]),
    }
    say("")
    print_table(found["revisions"], columns)
    say_metrics(metrics, hours)


@commands.command("create")
def deploy(
    name: Annotated[str, typer.Argument(help="What clients shall call it.")],
    model: Annotated[str | None, typer.Option(help="A model of ours.")] = None,
    version: Annotated[str | None, typer.Option(help="Its version: a number, latest, or default.")] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="What runs it: llamacpp for a GGUF file, transformers for a folder; auto: as was measured."),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="A provider, instead of a model of ours.")] = None,
    upstream_model: Annotated[str | None, typer.Option(help="The provider's own name of the model.")] = None,
    embeddings_by: Annotated[str | None, typer.Option(help="Deployment that answers its embeddings.")] = None,
    settings: Settings = None,
    kind: Kind = None,
    reserved_tpm: ReservedTpm = None,
    upgrade: UpgradeWord = None,
    canary: Annotated[bool, typer.Option("--canary", help="Give it its traffic in steps, judged on the way.")] = False,
    roll_out: Annotated[
        str | None, typer.Option(help="How, as JSON; implies --canary.", metavar="'{\"steps\": [5, 50]}'")
    ] = None,
    shadow: Annotated[
        str | None, typer.Option(help="Copy this part of the requests to it first; implies --canary.", metavar="10%")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Deploy a new revision; the one before serves until it is ready."""
    ask: dict[str, Any] = {
        "model": model, "version": _version(version), "engine": engine, "provider": provider,
        "upstream_model": upstream_model, "settings": read_settings(settings),
    }  # fmt: skip
    if embeddings_by is not None:
        ask["embeddings_by"] = embeddings_by
    ask |= read_terms(kind, reserved_tpm, upgrade)
    if canary or roll_out is not None or shadow is not None:
        ask["roll_out"] = read_policy(roll_out or "{}") | read_shadow(shadow)
    with connect(data_dir) as api:
        made = api.put(one("deployments", name), ask)
    if as_json:
        print_json(made)
    else:
        say(f"{made['name']} revision {made['revisions'][0]['number']}: {made['pending'] or made['state']}")


@commands.command("remove")
def remove_deployment(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Free a deployment's name; what it served stays in the log."""
    with connect(data_dir) as api:
        gone = api.delete(one("deployments", name))
    if as_json:
        print_json(gone)
    else:
        say(f"The deployment {gone['name']} is removed.")


@commands.command("alias")
def set_alias(
    alias: Annotated[str, typer.Argument(help="The second name.")],
    deployment: Annotated[str | None, typer.Argument(help="Where it leads; leave out with --remove.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Free the name.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let a second name lead to a deployment."""
    if remove == (deployment is not None):
        raise typer.BadParameter("give a deployment, or --remove")
    with connect(data_dir) as api:
        path = one("aliases", alias)
        found = api.delete(path) if remove else api.put(path, {"deployment": deployment})
    if as_json:
        print_json(found)
    else:
        say(f"{alias} is free." if remove else f"{alias} leads to {found['deployment']}.")


def _version(said: str | None) -> int | str | None:
    return int(said) if said is not None and said.isdecimal() else said


def _runs(each: dict[str, Any]) -> str:
    if each["provider"] and each["model"]:
        return f"{each['model']} {each['version']} ({each['upstream_model']}) at {each['provider']}"
    if each["provider"]:
        return f"{each['upstream_model']} at {each['provider']}"
    return f"{each['model']} {each['version']} on {each['engine']}" if each["model"] else str(each["engine"])


def _replicas(each: dict[str, Any]) -> str:
    found = each["replicas"]
    return f"{found['ready']} of {found['wanted']} {found['held']}".strip() if found else ""


def _price(each: dict[str, Any]) -> str:
    price = each["price"]
    return f"{price['input']} / {price['output']} {price['currency']}" if price else "unknown"


COLUMNS = {
    "name": lambda each: each["name"],
    "state": lambda each: each["pending"] or each["state"],
    "model": lambda each: each["model"],
    "routes": lambda each: each["routes"],
    "context": lambda each: each["context_tokens"],
    "type": lambda each: each["type"],
    "price per million": _price,
    "aliases": lambda each: each["aliases"],
}
