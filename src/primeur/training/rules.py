"""Recipes for training and the arithmetic they imply, without touching disk, clock or dice."""

import hashlib
import math
from typing import Literal

import msgspec

from primeur.core.errors import SetupError

Kind = Literal["html", "wordnet", "dict", "text"]


class TrainingFailed(SetupError):
    """Something must be changed before training can go on; the message names it and the cure."""

    code = "training_failed"


class RecipeFault(TrainingFailed):
    """A recipe cannot be followed."""


class CorpusMissing(TrainingFailed):
    """Text that a recipe names cannot be had."""


class ExportFailed(TrainingFailed):
    """Weights cannot be turned into another form."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Text from one Debian package under one licence.

    Attributes:
        licence: SPDX expression of the text that is read, not of the packaging.
        paths: globs inside the unpacked package.
        skip: regular expressions; a path in which one is found is not read.
        repeat: how often each training document is read per pass.
    """

    package: str
    kind: Kind
    licence: str
    credit: str
    paths: list[str]
    language: Literal["en", "fr"] = "en"
    skip: list[str] = []
    repeat: int = 1


class Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the byte-level BPE is made; *sample_mb* bounds the text it is learned from."""

    size: int = 4096
    sample_mb: int = 24


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Llama. *sequence* is the trained window, *context* the positions ever shown."""

    width: int
    layers: int
    heads: int
    key_heads: int
    feed_forward: int
    sequence: int = 512
    context: int = 16384
    rope_base: float = 100_000.0


class Optimiser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Muon for the matrices, AdamW for embeddings and norms.

    Attributes:
        batch_tokens: tokens between two updates.
        warm_up_tokens: tokens over which the rate climbs to *peak_rate*.
        skip_share: share of sequences shown with a jump in their positions, so that
            distances up to the context are seen within the trained window.

    Source: Zhu et al., "PoSE" (2023), for the jump.
    """

    peak_rate: float = 0.003
    embedding_rate: float = 0.003
    final_share: float = 0.05
    weight_decay: float = 0.05
    clip: float = 1.0
    micro_sequences: int = 8
    batch_tokens: int = 16384
    warm_up_tokens: int = 500_000
    skip_share: float = 0.25


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of training; *dialogue_share* of its sequences are dialogues.

    Attributes:
        answers_only: loss on what the assistant says, not on what it is asked.
        decay_from: share of the stage after which the rate starts to fall; 1 keeps it.
    """

    name: str
    tokens: int
    dialogue_share: float = 0.0
    answers_only: bool = False
    peak_share: float = 1.0
    decay_from: float = 1.0


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides what a training run will make."""

    name: str
    licence: str
    languages: list[str]
    shape: Shape
    stages: list[Stage]
    sources: list[Source]
    vocabulary: Vocabulary = Vocabulary()
    optimiser: Optimiser = Optimiser()
    dialogues: int = 0
    probes: list[str] = []
    remarks: list[str] = []
    held_out_share: float = 0.01
    seed: int = 1789


def read_recipe(text: str) -> Recipe:
    """Read a recipe from TOML.

    Raises:
        RecipeFault: an entry is unknown, of the wrong type, or contradicts another.
    """
    try:
        recipe = msgspec.toml.decode(text, type=Recipe)
    except msgspec.ValidationError as fault:
        raise RecipeFault(f"recipe: {fault}; correct this entry") from fault
    except msgspec.DecodeError as fault:
        raise RecipeFault(f"recipe: not TOML ({fault}); correct the file") from fault
    fault_found = find_fault(recipe)
    if fault_found:
        raise RecipeFault(f"recipe {recipe.name}: {fault_found}")
    return recipe


def find_fault(recipe: Recipe) -> str | None:
    """Name the first contradiction in a recipe, or None."""
    shape, optimiser = recipe.shape, recipe.optimiser
    checks = [
        (shape.width % shape.heads == 0, "shape.width must divide by shape.heads"),
        (shape.heads % shape.key_heads == 0, "shape.heads must divide by shape.key_heads"),
        (shape.width // max(shape.heads, 1) % 2 == 0, "shape: width / heads must be even for rotary positions"),
        (shape.width % 32 == 0 and shape.feed_forward % 32 == 0, "shape: widths must divide by 32 for Q8_0"),
        (shape.context >= shape.sequence, "shape.context must reach shape.sequence"),
        (300 <= recipe.vocabulary.size <= 65535, "vocabulary.size must be 300 to 65535"),
        (bool(recipe.stages), "stages: name at least one"),
        (
            recipe.dialogues > 0 or not any(stage.dialogue_share for stage in recipe.stages),
            "stages: a dialogue_share needs 'dialogues' above 0",
        ),
        (bool(recipe.sources), "sources: name at least one"),
        (all(stage.tokens > 0 for stage in recipe.stages), "stages: tokens must be positive"),
        (0 < recipe.held_out_share < 0.5, "held_out_share must lie between 0 and 0.5"),
        (
            optimiser.batch_tokens % (optimiser.micro_sequences * shape.sequence) == 0,
            "optimiser.batch_tokens must be a multiple of micro_sequences x shape.sequence",
        ),
    ]
    return next((words for holds, words in checks if not holds), None)


def digest(recipe: Recipe) -> str:
    """SHA-256 of the recipe in canonical form, hexadecimal."""
    return hashlib.sha256(msgspec.json.encode(recipe, order="sorted")).hexdigest()


def count_parameters(shape: Shape, vocabulary: int) -> int:
    """Weights of the model, the embedding counted once because input and output share it."""
    head = shape.width // shape.heads
    attention = shape.width * head * (2 * shape.heads + 2 * shape.key_heads)
    layer = attention + 3 * shape.width * shape.feed_forward + 2 * shape.width
    return vocabulary * shape.width + shape.layers * layer + shape.width


def count_steps(stage: Stage, optimiser: Optimiser) -> int:
    """Updates in a stage, at least one."""
    return max(1, stage.tokens // optimiser.batch_tokens)


def locate(recipe: Recipe, step: int) -> tuple[int, int]:
    """Stage index and step within it for a global *step*; past the end gives ``(len(stages), 0)``."""
    left = step
    for index, stage in enumerate(recipe.stages):
        steps = count_steps(stage, recipe.optimiser)
        if left < steps:
            return index, left
        left -= steps
    return len(recipe.stages), 0


def tokens_by_stage(recipe: Recipe, step: int) -> dict[str, int]:
    """Tokens trained on by stage after *step* updates."""
    left, spent = step, {}
    for stage in recipe.stages:
        steps = min(left, count_steps(stage, recipe.optimiser))
        spent[stage.name] = steps * recipe.optimiser.batch_tokens
        left -= steps
    return spent


def rate_share(recipe: Recipe, step: int) -> float:
    """Share of the peak learning rate at a global *step*: warm up, hold, fall to *final_share*.

    Source: Hu et al., "MiniCPM" (2024), the warm-up, stable, decay schedule.
    """
    optimiser = recipe.optimiser
    index, within = locate(recipe, step)
    if index == len(recipe.stages):
        return optimiser.final_share
    stage = recipe.stages[index]
    warm_up = max(1, optimiser.warm_up_tokens // optimiser.batch_tokens)
    climb = min(1.0, (step + 1) / warm_up)
    steps = count_steps(stage, optimiser)
    start = stage.decay_from * steps
    if within <= start or steps <= start:
        return climb * stage.peak_share
    fallen = (within - start) / (steps - start)
    return climb * stage.peak_share * (1 - (1 - optimiser.final_share) * fallen)


def perplexity(loss: float) -> float:
    """Perplexity per token of a mean loss in nats; infinite where it would overflow."""
    return math.exp(loss) if loss < 700 else math.inf


def bits_per_byte(loss: float, bytes_per_token: float) -> float:
    """What a mean *loss* (nats per token) costs per byte of text; comparable across tokenizers."""
    return loss / bytes_per_token / math.log(2)
