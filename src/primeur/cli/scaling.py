"""The part of ``primeur deployments`` that counts replicas: how a deployment is scaled, and what was decided."""

import re
from typing import Annotated, Any

import msgspec
import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, say

Name = Annotated[str, typer.Argument(help="Name, id or alias of the deployment.")]
Window = Annotated[
    list[str] | None,
    typer.Option(
        "--window", metavar="DAYS/HH:MM-HH:MM/MIN-MAX",
        help="Bounds for some hours, such as mon,tue/08:00-18:00/2-6; may be given several times, and replaces all.",
    ),
]  # fmt: skip

_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_WINDOW = re.compile(f"(?:(?P<days>[a-z,]+)/)?(?P<start>{_TIME})-(?P<end>{_TIME})/(?P<least>[0-9]+)-(?P<most>[0-9]+)")


def add_scaling(commands: typer.Typer) -> None:
    """Add the commands to the group ``deployments``."""
    commands.command("scale")(scale)
    commands.command("scaling")(list_decisions)


def scale(
    name: Name,
    least: Annotated[int | None, typer.Option("--min", help="Fewest replicas; 0 lets it sleep.")] = None,
    most: Annotated[int | None, typer.Option("--max", help="Most replicas.")] = None,
    metric: Annotated[str | None, typer.Option(help="concurrency, queue or tokens (in a second).")] = None,
    target: Annotated[float | None, typer.Option(help="Load that one replica shall carry.")] = None,
    up_cooldown: Annotated[float | None, typer.Option(help="Seconds after a change before more.")] = None,
    down_cooldown: Annotated[float | None, typer.Option(help="Seconds after a change before fewer.")] = None,
    over: Annotated[float | None, typer.Option(help="Seconds over which the load is averaged.")] = None,
    idle_after: Annotated[float | None, typer.Option(help="Seconds without a request before it sleeps.")] = None,
    queue_most: Annotated[int | None, typer.Option(help="Requests that may wait while it wakes.")] = None,
    queue_wait: Annotated[float | None, typer.Option(help="Seconds that they may wait.")] = None,
    drain: Annotated[float | None, typer.Option(help="Seconds that a replica may take to finish its requests.")] = None,
    window: Window = None,
    time_zone: Annotated[str | None, typer.Option(help="Of the windows, such as Europe/Berlin.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Scale a deployment otherwise; what is not named stays as it is."""
    given = {
        "min": least, "max": most, "metric": metric, "target": target, "up_cooldown_s": up_cooldown,
        "down_cooldown_s": down_cooldown, "over_s": over, "idle_after_s": idle_after, "queue_most": queue_most,
        "queue_wait_s": queue_wait, "drain_s": drain, "time_zone": time_zone,
        "windows": None if window is None else [read_window(text) for text in window],
    }  # fmt: skip
    asked = {field: value for field, value in given.items() if value is not None}
    with connect(data_dir) as api:
        live = max(api.get(one("deployments", name))["revisions"], key=lambda each: (each["share"], each["number"]))
        found = api.put(one("deployments", name) + "/scaling", (live["scaling"] or {}) | asked)
    if as_json:
        print_json(found)
        return
    revision = found["revisions"][0]
    say(f"{found['name']} revision {revision['number']}: replicas {say_scaling(revision['scaling'])}")


def list_decisions(
    name: Name,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 20,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what was decided about a deployment's replicas, and why."""
    with connect(data_dir) as api:
        found = api.get(one("deployments", name) + "/scaling", limit=limit)["data"]
    print_list(
        found, _COLUMNS, as_json=as_json,
        nothing="Nothing was decided; `primeur deployments scale NAME --max 3` lets its replicas follow the load.",
    )  # fmt: skip


def read_window(text: str) -> dict[str, Any]:
    """Read a window such as ``mon,tue/08:00-18:00/2-6``; without days it is open on all of them.

    Raises:
        BadParameter: it is no window.
    """
    read = _WINDOW.fullmatch(text)
    if read is None:
        raise typer.BadParameter(f"{text!r} is no window; write DAYS/HH:MM-HH:MM/MIN-MAX: mon,tue/08:00-18:00/2-6")
    found: dict[str, Any] = {"start": read["start"], "end": read["end"]}
    found |= {"min": int(read["least"]), "max": int(read["most"])}
    return found | ({"days": read["days"].split(",")} if read["days"] else {})


def say_scaling(scaling: dict[str, Any] | None) -> str:
    """Write how a revision is scaled, in a few words; empty for one that is not."""
    if scaling is None:
        return ""
    windows = f", {len(scaling['windows'])} windows" if scaling["windows"] else ""
    return f"{scaling['min']} to {scaling['max']} by {scaling['metric']}, {scaling['target']:g} each{windows}"


def _evidence(each: dict[str, Any]) -> str:
    seen = each["evidence"]
    return msgspec.json.encode({name: seen[name] for name in ("load", "peak", "ready", "waiting")}).decode()


_COLUMNS = {
    "when": lambda each: moment(each["at_ms"]),
    "revision": lambda each: each["revision"],
    "replicas": lambda each: f"{each['before']} -> {each['replicas']}",
    "reason": lambda each: each["reason"],
    "why": lambda each: each["detail"],
    "seen": _evidence,
}
