"""``primeur models``: weights, and what is known about them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.send_weights import send_weights
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, say, size
from primeur.core.gguf import read_gguf_file
from primeur.core.safetensors import read_weights_folder

commands = typer.Typer(help="Models: weights, and what is known about them.")
Name = Annotated[str, typer.Argument(help="Name or id of the model.")]


@commands.command("list")
def list_models(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List models with their newest versions."""
    with connect(data_dir) as api:
        found = api.get("models")["data"]
    columns = {
        "name": lambda model: model["name"],
        "versions": lambda model: len(model["versions"]),
        "parameters": lambda model: _newest(model, "parameters"),
        "quantisation": lambda model: _newest(model, "quantisation"),
        "context": lambda model: _newest(model, "context_tokens"),
        "size": lambda model: size(_newest(model, "size_bytes")),
        "licence": lambda model: _newest(model, "licence"),
        "state": lambda model: "retired" if model["retired_ms"] else "offered",
    }
    print_list(found, columns, as_json=as_json, nothing="There are no models; `primeur models add FILE` adds one.")


@commands.command("show")
def show_model(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show a model's versions."""
    with connect(data_dir) as api:
        model = api.get(one("models", name))
    if as_json:
        print_json(model)
        return
    columns = {
        "version": lambda each: each["number"],
        "digest": lambda each: each["digest"],
        "architecture": lambda each: each["architecture"],
        "parameters": lambda each: each["parameters"],
        "quantisation": lambda each: each["quantisation"],
        "size": lambda each: size(each["size_bytes"]),
        "memory seen": lambda each: size(each["memory_bytes"]),
        "licence": lambda each: each["licence"],
        "origin": lambda each: each["origin"],
        "added": lambda each: moment(each["created_ms"]),
    }
    print_list(model["versions"], columns, as_json=False, nothing="The model has no versions.")


@commands.command("add")
def add_model(
    file: Annotated[Path, typer.Argument(help="A GGUF file, or a folder of safetensors.")],
    name: Annotated[str | None, typer.Option(help="What to call the model; the file's name by default.")] = None,
    licence: Annotated[str, typer.Option("--licence", "--license", help="SPDX expression.")] = "",
    origin: Annotated[str, typer.Option(help="Where the file came from.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a GGUF file or a folder of safetensors as a model's next version."""
    # What is wrong is told before gigabytes are sent.
    names: tuple[str, ...] = ()
    if file.is_dir():
        names = read_weights_folder(file).files
    else:
        read_gguf_file(file)
    with connect(data_dir) as api:
        version = send_weights(api, name or file.stem, file, names, licence=licence, origin=origin or file.name)
    if as_json:
        print_json(version)
    else:
        called = name or file.stem
        say(f"{called} version {version['number']} is {version['digest']}")
        say(f"Next: primeur deployments create {called} --model {called}")


@commands.command("retire")
def retire_model(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Offer a model no longer for new deployments; what runs goes on."""
    with connect(data_dir) as api:
        gone = api.delete(one("models", name))
    if as_json:
        print_json(gone)
    else:
        say(f"The model {gone['name']} is retired.")


def _newest(model: dict[str, Any], field: str) -> Any:
    return model["versions"][-1][field] if model["versions"] else None
