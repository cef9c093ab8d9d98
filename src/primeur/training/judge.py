"""How good the weights are, measured on what they never saw; nothing is left out for looking bad."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn import functional

from primeur.training import packing, prepare
from primeur.training.chat_form import END, START, Turn, render
from primeur.training.model import Llama
from primeur.training.pretrain import measure_loss
from primeur.training.rules import Recipe, perplexity
from primeur.training.tokenizer import identify

HELD_OUT_ROWS, ANSWER_ROWS, LONG_WINDOWS = 400, 200, 2
PROBE_TOKENS = 64


def measure_held_out(model: Llama, recipe: Recipe, folder: Path) -> tuple[float, float]:
    """Nats per token of held-out text, and per answered token of fresh dialogues (0 if there are none)."""
    width = recipe.shape.sequence + 1
    text = measure_loss(model, *packing.open_rows(folder / prepare.HELD_OUT, width), HELD_OUT_ROWS)
    if not recipe.dialogues:
        return text, 0.0
    talks = packing.open_rows(folder / prepare.HELD_OUT_DIALOGUES, width)
    return text, measure_loss(model, *talks, ANSWER_ROWS)


def measure_positions(model: Llama, recipe: Recipe, tokenizer: Tokenizer, folder: Path) -> dict[str, float]:
    """Perplexity by stretch of positions when held-out text is read in windows as long as the context."""
    stream = packing.open_rows(folder / prepare.HELD_OUT, recipe.shape.sequence + 1)[0].reshape(-1)
    length = min(recipe.shape.context, len(stream) - 1)
    windows = [stream[start : start + length] for start in range(0, len(stream) - length, length)][:LONG_WINDOWS]
    losses = np.mean([read_long(model, window, identify(tokenizer, START)) for window in windows], axis=0)
    edges = [0, *(edge for edge in (512, 1024, 2048, 4096, 8192, 16384, 32768) if edge < length), length]
    return {f"{low:,} to {high:,}": perplexity(float(losses[low:high].mean())) for low, high in pairwise(edges)}


def read_long(model: Llama, window: NDArray[np.uint16], start: int) -> NDArray[np.float64]:
    """Loss in nats at each position of one window, shape (length,)."""
    targets = torch.from_numpy(window.astype(np.int64))
    tokens = torch.cat([torch.tensor([start]), targets[:-1]])[None]
    with torch.no_grad():
        logits = model(tokens, torch.arange(tokens.shape[1])[None])[0]
        losses = functional.cross_entropy(logits.float(), targets, reduction="none")
    return np.asarray(losses.double().numpy())


def answer(model: Llama, tokenizer: Tokenizer, asked: str) -> str:
    """The greedy answer to one question, at most PROBE_TOKENS tokens."""
    numbers = tokenizer.encode(render([Turn("user", asked)]), add_special_tokens=False).ids
    begin, end = len(numbers), identify(tokenizer, END)
    with torch.no_grad():
        while len(numbers) < begin + PROBE_TOKENS:
            logits = model(torch.tensor([numbers]), torch.arange(len(numbers))[None])
            best = int(logits[0, -1].argmax())
            if best == end:
                break
            numbers.append(best)
    return str(tokenizer.decode(numbers[begin:]))
