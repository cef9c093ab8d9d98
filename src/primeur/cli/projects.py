"""``primeur projects``: what keys belong to."""

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
    print_list,
    print_thing,
)
from primeur.core.errors import BadRequest

commands = typer.Typer(help="Projects: what keys belong to.")
Name = Annotated[str, typer.Argument(help="Name or id of the project.")]
Keeps = Annotated[
    bool | None,
    typer.Option("--keep-prompts/--no-keep-prompts", help="Keep prompts and answers in the request log."),
]


@commands.command("list")
def list_projects(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List projects."""
    with connect(data_dir) as api:
        found = api.get("projects")["data"]
    columns = {
        "name": lambda each: each["name"],
        "id": lambda each: each["id"],
        "keeps prompts": lambda each: each["keeps_prompts"],
        "limits": limits,
        "made": lambda each: moment(each["created_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are no projects that this key may see.")


@commands.command("create")
def create_project(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    keeps_prompts: Keeps = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrency: Concurrency = None,
    rpd: Rpd = None,
    tpd: Tpd = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a project."""
    ask = {
        "name": name,
        "keeps_prompts": bool(keeps_prompts),
        "rpm": rpm,
        "tpm": tpm,
        "concurrency": concurrency,
        "rpd": rpd,
        "tpd": tpd,
    }
    with connect(data_dir) as api:
        print_thing(api.post("projects", ask), as_json=as_json)


@commands.command("show")
def show_project(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one project."""
    with connect(data_dir) as api:
        print_thing(api.get(one("projects", name)), as_json=as_json)


@commands.command("change")
def change_project(
    name: Name,
    keeps_prompts: Keeps = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrency: Concurrency = None,
    rpd: Rpd = None,
    tpd: Tpd = None,
    no_limits: NoLimits = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change limits and whether prompts are kept; what is not given stays."""
    change = limit_changes(rpm, tpm, concurrency, rpd, tpd, no_limits=no_limits)
    if keeps_prompts is not None:
        change["keeps_prompts"] = keeps_prompts
    if not change:
        raise BadRequest("say what to change: --keep-prompts, --rpm, --tpm, --concurrency, --rpd, --tpd or --no-limits")
    with connect(data_dir) as api:
        print_thing(api.patch(one("projects", name), change), as_json=as_json)
