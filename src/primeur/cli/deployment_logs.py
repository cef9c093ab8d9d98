"""``primeur deployments logs``: what the engines of a deployment wrote into their logs."""

import time
from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, print_json, say
from primeur.core.errors import BadRequest

_PERIOD_S = 1.0
Name = Annotated[str, typer.Argument(help="Name, id or alias of the deployment.")]


def add_logs(commands: typer.Typer) -> None:
    """Add the command to the group ``deployments``."""
    commands.command("logs")(show_logs)


def show_logs(
    name: Name,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="The last lines of each log.")] = 100,
    revision: Annotated[int | None, typer.Option(min=1, help="Of this one; those that are to run by default.")] = None,
    replica: Annotated[int | None, typer.Option(min=1, help="Of this one; all of them by default.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl-C.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what a deployment's engines wrote into their logs, without secrets."""
    if follow and as_json:
        raise BadRequest("--follow prints lines as they come; leave out --json, or ask again with the answer's next")
    path = one("deployments", name) + "/logs"
    with connect(data_dir) as api:
        found = api.get(path, lines=lines, revision=revision, replica=replica)
        if as_json:
            print_json(found)
            return
        last = _say(found["data"], "")
        if not follow and last == "":
            say("Its engines have written nothing.")
        while follow:
            if not any(log["more"] for log in found["data"]) or not found["next"]:
                time.sleep(_PERIOD_S)
            # Which revisions are to run may have changed meanwhile; a log that is new is read from its beginning.
            asked = {"lines": 1000, "revision": revision, "replica": replica, "since": found["next"]}
            found = api.get(path, **asked)
            last = _say(found["data"], last)


def _say(logs: list[dict[str, Any]], last: str) -> str:
    """Print lines, under the log's name where it is not the one that was printed *last*; gives the last one's name."""
    for log in logs:
        name = f"revision {log['revision']}, replica {log['replica']}"
        if log["lines"] and name != last:
            say(f"==> {name} <==")
        for line in log["lines"]:
            say(line)
        last = name if log["lines"] else last
    return last
