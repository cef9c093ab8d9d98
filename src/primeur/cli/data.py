"""``primeur data``: what becomes of people's data."""

from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, print_json, print_thing, say
from primeur.core.errors import BadRequest

commands = typer.Typer(help="Data: how long it is kept, how it is masked, erased, exported.")
Project = Annotated[str, typer.Argument(help="Name or id of the project.")]
Output = Annotated[Path, typer.Option(help="File to write.")]


@commands.command("show")
def show_policy(project: Project, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show what becomes of a project's data."""
    with connect(data_dir) as api:
        print_thing(api.get(one("projects", project) + "/data"), as_json=as_json)


@commands.command("set")
def set_policy(
    project: Project,
    keep_days: Annotated[int | None, typer.Option(min=0, help="Days that prompts stay; 0: no end.")] = None,
    mask: Annotated[
        list[str] | None, typer.Option(help="What is masked when it is written; replaces the list.")
    ] = None,
    no_masks: Annotated[bool, typer.Option("--no-masks", help="Mask nothing.")] = False,
    zone: Annotated[list[str] | None, typer.Option(help="Where requests may be served; replaces the list.")] = None,
    any_zone: Annotated[bool, typer.Option("--any-zone", help="Requests may be served anywhere.")] = False,
    trains: Annotated[
        bool | None, typer.Option("--trains/--trains-nothing", help="Let what is kept be taken as training data.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change what becomes of a project's data; what is not given stays."""
    change: dict[str, Any] = {}
    if keep_days is not None:
        change["keep_days"] = keep_days or None
    if mask or no_masks:
        change["masks"] = [] if no_masks else mask
    if zone or any_zone:
        change["zones"] = None if any_zone else zone
    if trains is not None:
        change["trains"] = trains
    if not change:
        raise BadRequest("say what to change: --keep-days, --mask, --zone or --trains")
    with connect(data_dir) as api:
        print_thing(api.patch(one("projects", project) + "/data", change), as_json=as_json)


@commands.command("erase")
def erase(
    subject: Annotated[str, typer.Argument(help="A user, a safety_identifier, or the id of a member or key.")],
    project: Annotated[str | None, typer.Option(help="Only in this project.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Erase what a person said and was told; what it cost stays in the books."""
    with connect(data_dir) as api:
        found = api.post("erasures", {"subject": subject, "project": project})
    if as_json:
        print_json(found)
    else:
        say(f"Erased: {', '.join(f'{count} {name}' for name, count in found.items())}.")


@commands.command("export")
def export(project: Project, output: Output, data_dir: DataDir = None) -> None:
    """Write everything that a project owns into a tar archive."""
    _write(one("projects", project) + "/export", output, data_dir)


@commands.command("training-data")
def training_data(project: Project, output: Output, data_dir: DataDir = None) -> None:
    """Write the kept exchanges of a project that opted in as JSON Lines."""
    _write(one("projects", project) + "/training-data", output, data_dir)


def _write(path: str, output: Path, data_dir: Path | None) -> None:
    with connect(data_dir) as api, output.open("wb") as file:
        size = api.download(path, file, method="POST")
    say(f"{size} bytes are in {output}.")
