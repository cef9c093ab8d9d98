"""The training loop: rows in, weights out, resumable at any moment."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from primeur.training import packing
from primeur.training.model import Llama, weigh_loss
from primeur.training.rules import Recipe, TrainingFailed, count_steps, locate, rate_share

CHECKPOINT = "checkpoint.safetensors"
Loss = Callable[..., Tensor]


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands after an update; *loss* in nats per token, *rate* a share of the peak."""

    stage: str
    step: int
    steps: int
    loss: float
    rate: float
    tokens_per_s: float


@dataclasses.dataclass(frozen=True)
class Rows:
    """Packed text and dialogues, each as (tokens, marks)."""

    text: tuple[NDArray[np.uint16], NDArray[np.uint8]]
    dialogues: tuple[NDArray[np.uint16], NDArray[np.uint8]]


@dataclasses.dataclass(frozen=True)
class Batch:
    """One update's rows: tokens and positions int64, weights float32, shape (rows, length)."""

    tokens: Tensor
    targets: Tensor
    positions: Tensor
    weights: Tensor


class Learner:
    """Weights in float32, a bfloat16 copy that computes, and their optimisers."""

    def __init__(self, recipe: Recipe, *, compiled: bool = False, device: str = "cpu") -> None:
        """Draw the first weights from the recipe's seed."""
        torch.manual_seed(recipe.seed)
        self.recipe, self.step, self.seconds, self.device = recipe, 0, 0.0, device
        self.master = Llama(recipe.shape, recipe.vocabulary.size).to(device)
        self.worker = Llama(recipe.shape, recipe.vocabulary.size).to(device).bfloat16()
        self.worker.cosine, self.worker.sine = self.master.cosine, self.master.sine
        self._pairs = list(zip(self.worker.parameters(), self.master.parameters(), strict=True))
        self.optimisers = make_optimisers(recipe, self.master)
        self.loss = self._compile(compiled=compiled)
        self.publish()

    def _compile(self, *, compiled: bool) -> Loss:
        def measure(tokens: Tensor, positions: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
            return weigh_loss(self.worker(tokens, positions), targets, weights)

        return torch.compile(measure, dynamic=False) if compiled else measure

    def publish(self) -> None:
        """Copy the float32 weights into the computing copy."""
        with torch.no_grad():
            for worker, master in self._pairs:
                worker.copy_(master)

    def learn(self, batch: Batch) -> float:
        """Make one update and give its loss."""
        optimiser, total = self.recipe.optimiser, 0.0
        parts = range(0, len(batch.tokens), optimiser.micro_sequences)
        began = time.monotonic()
        for start in parts:
            piece = slice(start, start + optimiser.micro_sequences)
            parts_of = (batch.tokens, batch.positions, batch.targets, batch.weights)
            loss = self.loss(*(each[piece].to(self.device) for each in parts_of))
            (loss / len(parts)).backward()
            total += float(loss.detach()) / len(parts)
            self._collect()
        nn.utils.clip_grad_norm_(self.master.parameters(), optimiser.clip)
        share = rate_share(self.recipe, self.step)
        for each in self.optimisers:
            for group in each.param_groups:
                group["lr"] = group["peak"] * share
            each.step()
            each.zero_grad()
        self.publish()
        self.step += 1
        self.seconds += time.monotonic() - began
        return total

    def _collect(self) -> None:
        for worker, master in self._pairs:
            fresh = worker.grad.float()
            master.grad = fresh if master.grad is None else master.grad.add_(fresh)
            worker.grad = None


def make_optimisers(recipe: Recipe, model: Llama) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices; AdamW, undecayed, for the embedding and the norms.

    Source: Jordan et al., "Muon" (2024); Liu et al., "Muon is scalable" (2025) for the rate.
    """
    settings = recipe.optimiser
    matrices = [weight for name, weight in model.named_parameters() if "_proj" in name]
    others = [weight for name, weight in model.named_parameters() if "_proj" not in name]
    muon = torch.optim.Muon(
        [{"params": matrices, "peak": settings.peak_rate}],
        lr=settings.peak_rate,
        weight_decay=settings.weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    adam = torch.optim.AdamW(
        [{"params": others, "peak": settings.embedding_rate}],
        lr=settings.embedding_rate,
        betas=(0.9, 0.95),
        weight_decay=0.0,
    )
    return [muon, adam]


def draw(recipe: Recipe, rows: Rows, step: int) -> Batch:
    """Choose the rows of a global *step* and place them, some with a jump in their positions."""
    index, within = locate(recipe, step)
    stage = recipe.stages[index]
    before, after = packing.cursors(recipe, index, within), packing.cursors(recipe, index, within + 1)
    numbers, marks = [], []
    for place, (tokens, kinds) in enumerate((rows.text, rows.dialogues)):
        if after[place] > before[place]:
            chosen = packing.choose(before[place], after[place], len(tokens), recipe.seed + place)
            numbers.append(tokens[chosen])
            marks.append(kinds[chosen])
    dice = np.random.default_rng([recipe.seed, step, 7])
    order = dice.permutation(sum(map(len, numbers)))
    token_rows = torch.from_numpy(np.concatenate(numbers)[order].astype(np.int64))
    mark_rows = torch.from_numpy(np.concatenate(marks)[order].astype(np.int64))
    least = packing.ANSWERED if stage.answers_only else packing.ASKED
    positions = torch.from_numpy(place_rows(recipe, len(order), dice))
    return Batch(token_rows[:, :-1], token_rows[:, 1:], positions, (mark_rows[:, 1:] >= least).float())


def place_rows(recipe: Recipe, count: int, dice: np.random.Generator) -> NDArray[np.int64]:
    """Positions, shape (count, sequence): consecutive, or with one jump of a log-uniform length."""
    length, spare = recipe.shape.sequence, recipe.shape.context - recipe.shape.sequence
    positions = np.tile(np.arange(length), (count, 1))
    for row in range(count):
        if spare > 1 and dice.random() < recipe.optimiser.skip_share:
            cut = int(dice.integers(1, length))
            positions[row, cut:] += int(np.exp(dice.uniform(0, np.log(spare))))
    return positions


def run(learner: Learner, rows: Rows, folder: Path, *, every_s: float) -> Iterator[Progress]:
    """Train to the recipe's end, writing a checkpoint every *every_s* seconds and at the end."""
    recipe = learner.recipe
    steps = sum(count_steps(stage, recipe.optimiser) for stage in recipe.stages)
    saved_at = time.monotonic()
    while learner.step < steps:
        began = time.monotonic()
        stage = recipe.stages[locate(recipe, learner.step)[0]].name
        rate = rate_share(recipe, learner.step)
        loss = learner.learn(draw(recipe, rows, learner.step))
        speed = recipe.optimiser.batch_tokens / max(time.monotonic() - began, 1e-9)
        if time.monotonic() - saved_at > every_s or learner.step == steps:
            save(learner, folder)
            saved_at = time.monotonic()
        yield Progress(stage, learner.step, steps, loss, rate, speed)


def save(learner: Learner, folder: Path) -> None:
    """Write weights and optimiser state to one safetensors file; the old one stays until it is whole."""
    tensors = {f"weight.{name}": value for name, value in learner.master.state_dict().items()}
    for place, optimiser in enumerate(learner.optimisers):
        for number, weight in enumerate(optimiser.param_groups[0]["params"]):
            for name, value in optimiser.state[weight].items():
                tensors[f"optimiser.{place}.{number}.{name}"] = torch.as_tensor(value)
    partial = folder / f"{CHECKPOINT}.partial"
    facts = {"step": str(learner.step), "seconds": f"{learner.seconds:.1f}"}
    save_file({name: value.contiguous() for name, value in tensors.items()}, partial, facts)
    partial.replace(folder / CHECKPOINT)


def restore(learner: Learner, folder: Path) -> None:
    """Go on from a checkpoint."""
    learner.step, learner.seconds = read_weights(learner.master, folder)
    with safe_open(folder / CHECKPOINT, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118 - not a mapping
            kind, *rest = name.split(".")
            if kind == "optimiser":
                optimiser = learner.optimisers[int(rest[0])]
                weight = optimiser.param_groups[0]["params"][int(rest[1])]
                optimiser.state[weight][rest[2]] = file.get_tensor(name).clone().to(place_of(rest[2], weight))
    learner.publish()


def place_of(name: str, weight: Tensor) -> torch.device:
    """Optimisers keep their step counts on the CPU, everything else beside the weight."""
    return torch.device("cpu") if name == "step" else weight.device


def read_weights(model: Llama, folder: Path) -> tuple[int, float]:
    """Fill *model* from the checkpoint; gives its step and the seconds spent on it.

    Raises:
        TrainingFailed: the checkpoint is of a model of another shape.
    """
    with safe_open(folder / CHECKPOINT, framework="pt") as file:
        facts = file.metadata()
        names = [name for name in file.keys() if name.startswith("weight.")]  # noqa: SIM118 - not a mapping
        weights = {name.removeprefix("weight."): file.get_tensor(name) for name in names}
    try:
        model.load_state_dict(weights)
    except RuntimeError as fault:
        raise TrainingFailed(
            f"{folder}: the checkpoint has another shape than the recipe; give another --out"
        ) from fault
    return int(facts["step"]), float(facts.get("seconds", "0"))


def open_share(path: Path, width: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Rows of a kind; none if the recipe makes none."""
    if path.stat().st_size == 0:
        return np.zeros((0, width), np.uint16), np.zeros((0, width), np.uint8)
    return packing.open_rows(path, width)


def measure_loss(model: Llama, tokens: NDArray[np.uint16], marks: NDArray[np.uint8], rows: int) -> float:
    """Mean loss in nats over the answered tokens of the first *rows* rows, float32."""
    total, weight = 0.0, 0.0
    with torch.no_grad():
        for start in range(0, min(rows, len(tokens)), 4):
            piece = torch.from_numpy(tokens[start : start + 4].astype(np.int64))
            kinds = torch.from_numpy(marks[start : start + 4].astype(np.int64))
            shares = (kinds[:, 1:] >= packing.ANSWERED).float()
            positions = torch.arange(piece.shape[1] - 1).expand(len(piece), -1)
            loss = weigh_loss(model(piece[:, :-1], positions), piece[:, 1:], shares)
            total += float(loss) * float(shares.sum())
            weight += float(shares.sum())
    return total / max(weight, 1.0)
