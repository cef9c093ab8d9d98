"""``primeur guards``: what is looked for in what passes through a deployment."""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, print_json, print_list, say
from primeur.core.errors import BadRequest, SetupError

commands = typer.Typer(help="Guards: what is looked for in prompts and answers, and masked or blocked.")
Deployment = Annotated[str, typer.Argument(help="Name of the deployment.")]


class Reach(StrEnum):
    """What is looked at."""

    PROMPT = "prompt"
    ANSWER = "answer"
    BOTH = "both"


class Images(StrEnum):
    """What becomes of images by URL."""

    FETCH = "fetch"
    REFUSE = "refuse"


Form = "a form such as email, phone, card, iban, secret; may be given often."


@commands.command("list")
def list_guards(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List what each deployment's guard looks for."""
    with connect(data_dir) as api:
        names = [each["name"] for each in api.get("deployments")["data"]]
        found = [{"deployment": name} | api.get(_path(name)) for name in names]
    rows = [{"deployment": each["deployment"]} | rule for each in found for rule in each["rules"]]
    columns = {
        "deployment": lambda each: each["deployment"],
        "rule": lambda each: each["name"],
        "on": lambda each: each["on"],
        "action": lambda each: each["action"],
        "looks for": _sought,
    }
    if as_json:
        print_json(found)
    else:
        print_list(rows, columns, as_json=False, nothing="No guard looks for anything; `primeur guards set` says what.")


@commands.command("show")
def show_guard(deployment: Deployment, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show what one deployment's guard looks for."""
    with connect(data_dir) as api:
        _show(api.get(_path(deployment)), as_json=as_json)


@commands.command("set")
def set_guard(
    deployment: Deployment,
    mask: Annotated[list[str] | None, typer.Option(help=f"Replaced by its name: {Form}")] = None,
    block: Annotated[list[str] | None, typer.Option(help=f"Not let pass: {Form}")] = None,
    watch: Annotated[list[str] | None, typer.Option(help=f"Let pass and told of: {Form}")] = None,
    word: Annotated[list[str] | None, typer.Option(help="A word or phrase not let pass; may be given often.")] = None,
    pattern: Annotated[str | None, typer.Option(help="An expression not let pass.")] = None,
    on: Annotated[Reach, typer.Option(help="What is looked at.")] = Reach.BOTH,
    characters_most: Annotated[int | None, typer.Option(min=1, help="Longest prompt.")] = None,
    images: Annotated[Images, typer.Option(help="Images by URL are fetched and handed on, or refused.")] = Images.FETCH,
    file: Annotated[Path | None, typer.Option(help="A TOML file with all of it, in place of the options.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set what a deployment's guard looks for, in place of what it looked for before."""
    rules = [
        {"name": action, "action": action, "on": on.value, "finds": forms}
        for action, forms in (("mask", mask), ("block", block), ("allow", watch))
        if forms
    ]
    if word:
        rules.append({"name": "words", "action": "block", "on": on.value, "words": word})
    if pattern is not None:
        rules.append({"name": "pattern", "action": "block", "on": on.value, "pattern": pattern})
    policy = {"rules": rules, "characters_most": characters_most, "images": images.value}
    if file is None and not rules and characters_most is None and images is Images.FETCH:
        raise BadRequest("say what to look for: --mask, --block, --watch, --word, --pattern, or --file")
    with connect(data_dir) as api:
        _show(api.put(_path(deployment), policy if file is None else _read(file)), as_json=as_json)


@commands.command("remove")
def remove_guard(deployment: Deployment, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take a deployment's guard away."""
    with connect(data_dir) as api:
        left = api.delete(_path(deployment))
    if as_json:
        print_json(left)
    else:
        say(f"{deployment} has no guard any more.")


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"{file} cannot be read: {error}") from None


def _show(policy: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(policy)
        return
    for rule in policy["rules"]:
        say(f"{rule['name']}: {rule['action']} {_sought(rule)} in {rule['on']}")
    if policy["characters_most"] is not None:
        say(f"prompts have at most {policy['characters_most']} characters")
    say(f"images by URL: {policy['images']}")


def _sought(rule: dict[str, Any]) -> str:
    return ", ".join(rule["finds"] or rule["words"]) or str(rule["pattern"])


def _path(deployment: str) -> str:
    return one("deployments", deployment) + "/guard"
