"""``primeur train``: make models from recipes, and turn weights into the form the engine runs."""

import importlib
import os
import platform
import shutil
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from primeur.core.errors import SetupError

commands = typer.Typer(help="Make models: pre-train from a recipe, export, convert.")

RecipeFile = Annotated[Path, typer.Argument(help="TOML file that says what to make, such as recipes/starter.toml.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder of the run: rows, checkpoint, weights, card.")]


@commands.command()
def pretrain(
    recipe: RecipeFile,
    out: OutFolder = Path("runs/starter"),
    data: Annotated[Path | None, typer.Option(help="Unpacked packages, shared by runs; OUT/data if not given.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint.")] = False,
    compiled: Annotated[
        bool | None,
        typer.Option("--compile/--no-compile", help="Compile the model; by default if a compiler is there."),
    ] = None,
    device: Annotated[str, typer.Option(help="torch's name of the processor that learns: cpu, cuda.")] = "cpu",
) -> None:
    """Train a model from nothing: text, tokenizer, learning, export, card. Ctrl-C stops; --resume goes on."""
    walk = load("primeur.walks.train")
    compiling = shutil.which("c++") is not None if compiled is None else compiled
    room = walk.Room(out, data or out / "data", describe_machine(), compiling, device)
    with make_bar() as bar:
        task = bar.add_task("", total=None, note="")

        def show(seen: object) -> None:
            update(bar, task, seen)

        made = walk.pretrain(recipe, room, resume=resume, tell=bar.console.print, show=show)
    announce(made)


@commands.command()
def export(recipe: RecipeFile, out: OutFolder = Path("runs/starter")) -> None:
    """Export and measure the newest checkpoint of a run."""
    made = load("primeur.walks.train").export(recipe, out, describe_machine())
    announce(made)


@commands.command("convert-bert")
def convert_bert(
    folder: Annotated[Path, typer.Argument(help="Folder with config.json, vocab.txt and model.safetensors.")],
    target: Annotated[Path, typer.Argument(help="GGUF file to write.")],
    name: Annotated[str, typer.Option(help="Name told by the file; the folder's name if not given.")] = "",
    licence: Annotated[str, typer.Option(help="SPDX name of the weights' licence.")] = "apache-2.0",
    tables: Annotated[str, typer.Option(help="Form of the token table: F32, F16 or Q8_0.")] = "Q8_0",
    layers: Annotated[str, typer.Option(help="Form of the other matrices: F32, F16 or Q8_0.")] = "F16",
) -> None:
    """Turn a BERT sentence encoder into GGUF, for embeddings."""
    room = load("primeur.training.export_bert")
    naming = room.Naming(name or folder.resolve().name, licence, ("en",))
    room.export_bert(folder, target, naming, tables=tables, layers=layers)
    announce([target])


def load(name: str) -> ModuleType:
    """Import what needs the extra ``train`` only when it is asked for.

    Raises:
        SetupError: the extra is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        if (fault.name or "").startswith("primeur"):
            raise
        raise SetupError(f"training needs {fault.name}; install it with: pip install 'primeur[train]'") from None


def make_bar() -> Progress:
    """Bar, stage, loss, speed and the time left."""
    return Progress(
        BarColumn(), TextColumn("{task.completed}/{task.total}"), TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(), console=Console(stderr=True),
    )  # fmt: skip


def update(bar: Progress, task: object, seen: object) -> None:
    """Show one update."""
    note = f"{seen.stage}  loss {seen.loss:.3f}  {seen.tokens_per_s:,.0f} tokens/s"  # type: ignore[attr-defined]
    bar.update(task, total=seen.steps, completed=seen.step, note=note)  # type: ignore[attr-defined, arg-type]


def describe_machine() -> str:
    """The machine in words, without its name."""
    return f"{os.cpu_count()} {platform.machine()} cores"


def announce(made: list[Path]) -> None:
    """Name the files made, one a line."""
    for path in made:
        typer.echo(path)
