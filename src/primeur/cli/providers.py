"""``primeur providers``: parties that supply capacity."""

from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, Settings, moment, print_json, print_list, print_thing, read_settings, say

commands = typer.Typer(help="Providers: parties that supply capacity.")
Name = Annotated[str, typer.Argument(help="Name or id of the provider.")]


@commands.command("list")
def list_providers(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List providers; secrets are shown by where they are, never themselves."""
    with connect(data_dir) as api:
        found = api.get("providers")["data"]
    columns = {
        "name": lambda each: each["name"],
        "kind": lambda each: each["kind"],
        "settings": lambda each: ", ".join(f"{name}={value}" for name, value in each["settings"].items()),
        "added": lambda each: moment(each["created_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are no providers; `primeur providers add` adds one.")


@commands.command("show")
def show_provider(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one provider."""
    with connect(data_dir) as api:
        print_thing(api.get(one("providers", name)), as_json=as_json)


@commands.command("add")
def add_provider(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    kind: Annotated[str, typer.Option(help="Such as openai_compatible or azure_openai.")],
    settings: Settings = None,
    secret: Annotated[list[str] | None, typer.Option(help="Ask for this secret setting without showing it.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a provider or replace its settings; secrets are env:NAME, file:PATH, or asked for and sealed."""
    asked = {each: typer.prompt(each, hide_input=True, err=True) for each in secret or ()}
    with connect(data_dir) as api:
        made = api.put(one("providers", name), {"kind": kind, "settings": read_settings(settings) | asked})
    print_thing(made, as_json=as_json)


@commands.command("rotate-master-key")
def rotate_master_key(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make a new master key and seal every secret with it; old keys stay in their file for old backups."""
    with connect(data_dir) as api:
        found = api.post("master-key/rotate", {})
    if as_json:
        print_json(found)
    else:
        say(f"{found['secrets']} secrets are sealed with the new key {found['key_id']}.")


@commands.command("remove")
def remove_provider(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take a provider out that no deployment runs on."""
    with connect(data_dir) as api:
        gone = api.delete(one("providers", name))
    if as_json:
        print_json(gone)
    else:
        say(f"The provider {gone['name']} is removed.")
