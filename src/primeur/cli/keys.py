"""``primeur keys``: who may call."""

from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import (
    AsJson,
    Concurrency,
    DataDir,
    NoLimits,
    Rpd,
    Rpm,
    Tpd,
    Tpm,
    limit_changes,
    limits,
    moment,
    print_json,
    print_list,
    print_thing,
    say,
)
from primeur.core.errors import BadRequest

commands = typer.Typer(help="Keys: who may call, and how much.")
Name = Annotated[str, typer.Argument(help="Name or id of the key.")]
Deployments = Annotated[list[str] | None, typer.Option("--deployment", help="Only this one; may be repeated.")]


@commands.command("list")
def list_keys(project: str = "", data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List keys; their texts are kept nowhere."""
    with connect(data_dir) as api:
        found = api.get("keys", project=project)["data"]
    columns = {
        "name": lambda key: key["name"],
        "id": lambda key: key["id"],
        "key": lambda key: key["hint"],
        "role": lambda key: key["role"],
        "limits": limits,
        "made": lambda key: moment(key["created_ms"]),
        "state": lambda key: "revoked" if key["revoked_ms"] else "in force",
    }
    print_list(found, columns, as_json=as_json, nothing="There are no keys; `primeur keys create NAME` makes one.")


@commands.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrency: Concurrency = None,
    rpd: Rpd = None,
    tpd: Tpd = None,
    project: Annotated[str | None, typer.Option(help="Name or id of the project.")] = None,
    role: Annotated[str, typer.Option(help="What it may do.")] = "member",
    deployment: Deployments = None,
    route: Annotated[list[str] | None, typer.Option(help="Only this one, such as chat; may be repeated.")] = None,
    network: Annotated[list[str] | None, typer.Option(help="Only from here, such as 10.0.0.0/8.")] = None,
    member: Annotated[str | None, typer.Option(help="Whose it is: a service account or member.")] = None,
    expires_ms: Annotated[int | None, typer.Option(help="UTC milliseconds; never by default.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print its text, this once."""
    ask = {
        "name": name, "rpm": rpm, "tpm": tpm, "concurrency": concurrency, "rpd": rpd, "tpd": tpd,
        "project": project, "role": role,
        "deployments": deployment or None, "expires_ms": expires_ms,
        "routes": route or None, "networks": network or None, "member": member,
    }  # fmt: skip
    with connect(data_dir) as api:
        made = api.post("keys", ask)
    _print_text(made, as_json=as_json)


@commands.command("show")
def show_key(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one key."""
    with connect(data_dir) as api:
        print_thing(api.get(one("keys", name)), as_json=as_json)


@commands.command("change")
def change_key(
    name: Name,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrency: Concurrency = None,
    rpd: Rpd = None,
    tpd: Tpd = None,
    deployment: Deployments = None,
    no_limits: NoLimits = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change limits and deployments; what is not given stays."""
    change = limit_changes(rpm, tpm, concurrency, rpd, tpd, no_limits=no_limits)
    if deployment or no_limits:
        change["deployments"] = deployment or None
    if not change:
        raise BadRequest("say what to change: --rpm, --tpm, --concurrency, --rpd, --tpd, --deployment or --no-limits")
    with connect(data_dir) as api:
        print_thing(api.patch(one("keys", name), change), as_json=as_json)


@commands.command("rotate")
def rotate_key(
    name: Name,
    overlap_s: Annotated[int, typer.Option(min=0, help="Seconds that the old text still holds.")] = 0,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a key a new text and print it; the old one is worth nothing from now on, or in so many seconds."""
    with connect(data_dir) as api:
        _print_text(api.post(one("keys", name) + "/rotate", {"overlap_s": overlap_s}), as_json=as_json)


@commands.command("revoke")
def revoke_key(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take a key back for good."""
    with connect(data_dir) as api:
        gone = api.delete(one("keys", name))
    if as_json:
        print_json(gone)
    else:
        say(f"The key {gone['name']} is revoked.")


def _print_text(made: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    say(str(made["key"]))
    typer.echo("Keep it now: it is stored nowhere and is not shown again.", err=True)
