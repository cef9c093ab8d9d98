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
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a provider or replace its settings; write secrets as env:NAME or file:PATH."""
    with connect(data_dir) as api:
        made = api.put(one("providers", name), {"kind": kind, "settings": read_settings(settings)})
    print_thing(made, as_json=as_json)


@commands.command("remove")
def remove_provider(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take a provider out that no deployment runs on."""
    with connect(data_dir) as api:
        gone = api.delete(one("providers", name))
    if as_json:
        print_json(gone)
    else:
        say(f"The provider {gone['name']} is removed.")
