"""``primeur documents``: what a security officer asks for, written from what is so."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, print_json, print_list, say

commands = typer.Typer(help="Documents for a security officer, written from what is so.")


@commands.command("list")
def list_documents(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the documents there are."""
    with connect(data_dir) as api:
        found = api.get("documents")["data"]
    columns = {"name": lambda each: each["name"], "says": lambda each: each["says"]}
    print_list(found, columns, as_json=as_json, nothing="There are no documents.")


@commands.command("show")
def show_document(
    name: Annotated[str, typer.Argument(help="Such as roles, data, subprocessors, sbom, model-NAME.")],
    output: Annotated[Path | None, typer.Option(help="File to write; the screen otherwise.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write one document, in Markdown or JSON."""
    path = one("documents", name)
    with connect(data_dir) as api:
        if output is not None:
            with output.open("wb") as file:
                size = api.download(path, file, form="json" if as_json else "markdown")
            say(f"{size} bytes are in {output}.")
        elif as_json:
            print_json(api.get(path))
        else:
            api.download(path, sys.stdout.buffer, form="markdown")
