"""``primeur audit``: the event log, searched, exported, verified and signed."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import connect
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_table, print_thing, say
from primeur.core.errors import PrimeurError

commands = typer.Typer(help="Audit: the event log, searched, exported, verified and signed.")


class Form(StrEnum):
    """What other programs read."""

    jsonl = "jsonl"
    cef = "cef"


Kind = Annotated[str, typer.Option(help="Name of the event, such as KeyCreated.")]
Actor = Annotated[str, typer.Option(help="Id of the member or key.")]
Address = Annotated[str, typer.Option(help="IP address that it was asked for from.")]


@commands.command("list")
def list_events(
    kind: Kind = "",
    actor: Actor = "",
    address: Address = "",
    before: Annotated[int | None, typer.Option(help="Read on from here; printed at the end of a page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what happened, newest first."""
    _list(data_dir, as_json, kind=kind, actor=actor, address=address, before=before, limit=limit)


@commands.command("search")
def search_events(
    text: Annotated[str, typer.Argument(help="Part of the event, or of what was before or after.")],
    kind: Kind = "",
    before: Annotated[int | None, typer.Option(help="Read on from here; printed at the end of a page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Search what happened, newest first."""
    _list(data_dir, as_json, text=text, kind=kind, before=before, limit=limit)


@commands.command("export")
def export_events(
    form: Annotated[Form, typer.Option("--format", help="JSON Lines, or CEF.")] = Form.jsonl,
    output: Annotated[Path | None, typer.Option(help="File to write; the screen otherwise.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Export the whole log, oldest first."""
    with connect(data_dir) as api:
        if output is None:
            api.download("audit/export", sys.stdout.buffer, form=form.value)
            return
        with output.open("wb") as file:
            size = api.download("audit/export", file, form=form.value)
    say(f"{size} bytes are in {output}.")


@commands.command("verify")
def verify(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Find any entry that was edited, removed, inserted or moved; the exit status tells."""
    with connect(data_dir) as api:
        found = api.get("audit/verification")
    if as_json:
        print_json(found)
    else:
        for fault in found["faults"]:
            say(f"Entry {fault['sequence']} {fault['what']}.")
        say(f"{found['entries']} entries and {found['checkpoints']} checkpoints are read; newest hash {found['hash']}.")
    if not found["intact"]:
        raise PrimeurError(f"the event log is not intact: {len(found['faults'])} faults; keep a copy before all else")
    if not as_json:
        say("The event log is intact.")


@commands.command("checkpoint")
def checkpoint(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Sign the end of the log now; it is also done every hour."""
    with connect(data_dir) as api:
        print_thing(api.post("audit/checkpoints", {}), as_json=as_json)


@commands.command("checkpoints")
def list_checkpoints(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List signed checkpoints, oldest first."""
    with connect(data_dir) as api:
        found = api.get("audit/checkpoints")["data"]
    if as_json:
        print_json(found)
    elif not found:
        say("There are no checkpoints yet; `primeur audit checkpoint` makes one.")
    else:
        columns = {
            "at": lambda each: moment(each["at_ms"]),
            "entry": lambda each: each["sequence"],
            "hash": lambda each: each["hash"],
            "key": lambda each: each["key"],
        }
        print_table(found, columns)


def _list(data_dir: Path | None, as_json: bool, **query: Any) -> None:
    with connect(data_dir) as api:
        found = api.get("audit/events", **query)
    if as_json:
        print_json(found["data"])
        return
    if not found["data"]:
        say("There are no such events.")
        return
    columns = {
        "entry": lambda each: each["sequence"],
        "at": lambda each: moment(each["at_ms"]),
        "event": lambda each: each["kind"],
        "by": lambda each: each["actor"],
        "from": lambda each: each["address"] or "-",
        "what": lambda each: ", ".join(f"{name} {value}" for name, value in each["data"].items() if name != "type"),
    }
    print_table(found["data"], columns)
    if found["next"]:
        typer.echo(f"More: --before {found['next']}", err=True)
