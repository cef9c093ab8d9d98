"""Make a model from a recipe: prepare its text, learn, export, say how good it is."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from primeur.training.prepare import DIALOGUES, TEXT, prepare
from primeur.training.pretrain import CHECKPOINT, Learner, Progress, Rows, open_share, restore, run, save
from primeur.training.publish import publish
from primeur.training.rules import Recipe, RecipeFault, TrainingFailed, read_recipe

CHECKPOINT_EVERY_S = 180.0


@dataclasses.dataclass(frozen=True)
class Room:
    """Where and how a run works.

    Attributes:
        out: the run's folder: rows, checkpoint, weights, card.
        data: unpacked packages, shared by runs.
        machine: in words, for the card.
        compiled: let torch compile the model; needs a C++ compiler.
        device: torch's name of the processor that learns.
    """

    out: Path
    data: Path
    machine: str
    compiled: bool = False
    device: str = "cpu"


def pretrain(
    recipe_path: Path, room: Room, *, resume: bool, tell: Callable[[str], None], show: Callable[[Progress], None]
) -> list[Path]:
    """Follow a recipe to its end and give the files made.

    Args:
        resume: go on from the newest checkpoint in ``room.out``.
        tell: hears of each step in words.
        show: sees each update.

    Raises:
        RecipeFault: the recipe is wrong, or *room.out* belongs to another one.
        CorpusMissing: a source cannot be had.
        TrainingFailed: a run lies in *room.out* and *resume* is false, or the run was interrupted.
    """
    recipe = load_recipe(recipe_path)
    checkpoint = room.out / CHECKPOINT
    if checkpoint.is_file() and not resume:
        raise TrainingFailed(f"{room.out} holds a run; add --resume to go on with it, or give another --out")
    room.out.mkdir(parents=True, exist_ok=True)
    prepare(recipe, room.data, room.out, tell)
    learner = Learner(recipe, compiled=room.compiled, device=room.device)
    if checkpoint.is_file():
        restore(learner, room.out)
        tell(f"going on from step {learner.step}")
    learn(learner, room, show)
    tell("exporting and measuring")
    return publish(recipe, room.out, room.machine)


def learn(learner: Learner, room: Room, show: Callable[[Progress], None]) -> None:
    """Run the loop; an interruption is saved before it is told."""
    recipe = learner.recipe
    width = recipe.shape.sequence + 1
    rows = Rows(open_share(room.out / TEXT, width), open_share(room.out / DIALOGUES, width))
    try:
        for progress in run(learner, rows, room.out, every_s=CHECKPOINT_EVERY_S):
            show(progress)
    except KeyboardInterrupt:
        save(learner, room.out)
        raise TrainingFailed(f"stopped at step {learner.step}; go on with --resume") from None


def export(recipe_path: Path, out: Path, machine: str) -> list[Path]:
    """Export and measure the newest checkpoint of a run that may still be going on."""
    return publish(load_recipe(recipe_path), out, machine)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises:
        RecipeFault: it cannot be read or is wrong.
    """
    try:
        return read_recipe(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise RecipeFault(f"recipe {path}: cannot be read ({fault}); give a TOML file") from fault
