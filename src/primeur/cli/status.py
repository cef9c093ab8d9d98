"""``primeur status``, ``apply`` and ``sign-in-link``: the house as a whole."""

from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import Api, connect
from primeur.cli.declared import read_declared
from primeur.cli.deployments import COLUMNS
from primeur.cli.send_weights import check_weights, send_weights
from primeur.cli.show import AsJson, DataDir, print_json, print_list, say


def show_status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show how the service is doing."""
    with connect(data_dir) as api:
        found = api.get("status")
        found["url"] = api.url
    if as_json:
        print_json(found)
        return
    say(f"Primeur {found['version']} at {found['url'] or 'rest: the service is not running'}, {found['state']}")
    print_list(found["deployments"], COLUMNS, as_json=False, nothing="There are no deployments.")


def make_link(
    member: Annotated[str | None, typer.Option(help="For whom; the owner by default.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a one-time link for signing in to the console; it holds for 24 hours."""
    with connect(data_dir) as api:
        path = api.post("sign-in-links", {"member": member})["path"]
        link = (api.url or "http://127.0.0.1:8080").rstrip("/") + path
    if as_json:
        print_json({"url": link, "path": path})
    else:
        say(link)


def apply(
    file: Annotated[Path, typer.Option("--file", "-f", help="What shall be so.")] = Path("primeur.toml"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the difference.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make what a primeur.toml declares so, and show what was different."""
    document, files = read_declared(file)
    with connect(data_dir) as api:
        found = api.post("apply", {"document": document, "dry_run": True})
        if not dry_run:
            _send_models(api, document, files, found["changes"])
            sent = [change for change in found["changes"] if change["noun"] == "models"]
            found = api.post("apply", {"document": document})
            found["changes"] = sent + found["changes"]
    if as_json:
        print_json(found)
        return
    _print_changes(found["changes"], dry_run=dry_run)
    for name, text in found["keys"].items():
        say(f"The key {name} is {text}")


def _send_models(api: Api, document: dict[str, Any], files: dict[str, Path], changes: list[dict[str, Any]]) -> None:
    for change in changes:
        name = change["name"]
        if change["noun"] == "models" and name in files:
            model, path = document["models"][name], files[name]
            names = check_weights(path)
            said = {"licence": model.get("licence") or "", "origin": model.get("origin") or path.name}
            send_weights(api, name, path, names, **said, sha256=model["sha256"])


def _print_changes(changes: list[dict[str, Any]], *, dry_run: bool) -> None:
    if not changes:
        say("Everything is as declared.")
    for change in changes:
        sign = "+" if change["verb"] == "create" else "~"
        say(f"{sign} {change['noun']}.{change['name']}")
        for field, value in change["after"].items():
            if change["verb"] == "change":
                say(f"    {field}: {change['before'].get(field)} -> {value}")
            elif value not in (None, {}, []):
                say(f"    {field}: {value}")
    if dry_run and changes:
        say("Nothing was changed (--dry-run).")
