"""``primeur models``: weights and providers' models, and what is known about them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.model_facts import (
    Card,
    ContextTokens,
    Languages,
    Licence,
    Origin,
    Retires,
    read_default,
    read_said,
)
from primeur.cli.send_weights import check_weights, send_weights
from primeur.cli.show import AsJson, DataDir, moment, print_json, print_list, say, size
from primeur.core.errors import BadRequest

UPSTREAM = "upstream"
commands = typer.Typer(help="Models: weights and providers' models, and what is known about them.")
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
        "languages": lambda model: _newest(model, "languages"),
        "licence": lambda model: _newest(model, "licence"),
        "default": lambda model: model["default_version"] or "newest",
        "ends": lambda model: _day(_newest(model, "retires_ms")),
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
        "weights": lambda each: each["digest"] if each["provider"] is None else _held(each),
        "architecture": lambda each: each["architecture"],
        "parameters": lambda each: each["parameters"],
        "quantisation": lambda each: each["quantisation"],
        "size": lambda each: size(each["size_bytes"]),
        "memory seen": lambda each: size(each["memory_bytes"]),
        "context": lambda each: each["context_tokens"],
        "languages": lambda each: each["languages"],
        "licence": lambda each: each["licence"],
        "origin": lambda each: each["origin"],
        "ends": lambda each: _day(each["retires_ms"]),
        "added": lambda each: moment(each["created_ms"]),
    }
    print_list(model["versions"], columns, as_json=False, nothing="The model has no versions.")
    default = model["default_version"]
    say(f"Default: version {default}" if default else "Default: the newest version")
    text = (_newest(model, "card") or {}).get("text")
    if text:
        say("")
        say(str(text))


@commands.command("add")
def add_model(
    file: Annotated[Path, typer.Argument(help="A GGUF file, a folder of safetensors, or the word upstream.")],
    name: Annotated[str | None, typer.Option(help="What to call the model; the file's name by default.")] = None,
    licence: Licence = "",
    origin: Origin = "",
    languages: Languages = "",
    card: Card = None,
    retires: Retires = "",
    provider: Annotated[str | None, typer.Option(help="Who holds an upstream model.")] = None,
    upstream_model: Annotated[str | None, typer.Option(help="What the provider calls it.")] = None,
    context_tokens: ContextTokens = None,
    sha256: Annotated[str, typer.Option(help="What the weights must be; other weights are refused.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add a GGUF file, a folder of safetensors or a provider's model as a model's next version."""
    said = read_said(licence=licence, origin=origin, languages=languages, card=card, retires=retires)
    if str(file) == UPSTREAM and not file.exists():
        if provider is None or upstream_model is None:
            raise BadRequest("an upstream model needs --provider NAME and --upstream-model NAME")
        called = name or upstream_model
        ask = said | {"provider": provider, "upstream_model": upstream_model, "context_tokens": context_tokens}
        with connect(data_dir) as api:
            version = api.put(one("models", called) + "/upstream", ask)
    elif provider is not None or upstream_model is not None or context_tokens is not None:
        raise BadRequest("--provider, --upstream-model and --context-tokens go with `primeur models add upstream`")
    else:
        called = name or file.stem
        version = _send(file, called, said | {"sha256": sha256.removeprefix("sha256:")}, data_dir)
    if as_json:
        print_json(version)
        return
    what = version["digest"] if version["provider"] is None else _held(version)
    say(f"{called} version {version['number']} is {what}")
    say(f"Next: primeur deployments create {called} --model {called}")


@commands.command("set")
def set_model(
    name: Name,
    version: Annotated[int | None, typer.Option(help="What is said is said of this version; the newest.")] = None,
    default: Annotated[
        str | None, typer.Option(help="Number of the version that is meant when none is named, or newest.")
    ] = None,
    licence: Licence = "",
    origin: Origin = "",
    languages: Languages = "",
    card: Card = None,
    retires: Annotated[str, typer.Option(help="Day on which the version ends, such as 2027-01-31, or never.")] = "",
    context_tokens: ContextTokens = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Choose a model's default version, or change what is said of a version."""
    said = read_said(licence=licence, origin=origin, languages=languages, card=card, retires=retires)
    if context_tokens is not None:
        said["context_tokens"] = context_tokens
    if retires == "never":
        said["retires"] = None
    if not said and default is None:
        raise BadRequest("say what to set: --default, --licence, --origin, --languages, --card or --retires")
    with connect(data_dir) as api:
        path = one("models", name)
        if said:
            number = version or len(api.get(path)["versions"])
            api.patch(f"{path}/versions/{number}", said)
        if default is not None:
            api.patch(path, {"default_version": read_default(default)})
        model = api.get(path)
    if as_json:
        print_json(model)
    else:
        default_is = model["default_version"] or "newest"
        say(f"{model['name']}: {len(model['versions'])} versions, default {default_is}")


def _send(file: Path, called: str, said: dict[str, Any], data_dir: DataDir) -> Any:
    """Send weights, and what is said of them; what is wrong is told before gigabytes are sent."""
    names = check_weights(file)
    licence, origin, sha256 = said.pop("licence", ""), said.pop("origin", ""), said.pop("sha256")
    with connect(data_dir) as api:
        version = send_weights(api, called, file, names, licence=licence, origin=origin or file.name, sha256=sha256)
        if said:
            version = api.patch(f"{one('models', called)}/versions/{version['number']}", said)
    return version


@commands.command("retire")
def retire_model(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Offer a model no longer for new deployments; what runs goes on."""
    with connect(data_dir) as api:
        gone = api.delete(one("models", name))
    if as_json:
        print_json(gone)
    else:
        say(f"The model {gone['name']} is retired.")


def _held(each: dict[str, Any]) -> str:
    return f"{each['upstream_model']} at {each['provider']}"


def _day(at_ms: int | None) -> str | None:
    return None if at_ms is None else moment(at_ms).partition(" ")[0]


def _newest(model: dict[str, Any], field: str) -> Any:
    return model["versions"][-1][field] if model["versions"] else None
