"""Token sequences laid out as rows of one length, kept as memory-mapped arrays."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from primeur.training.rules import Optimiser, Recipe, Stage, count_steps

UNREAD, ASKED, ANSWERED = 0, 1, 2


def pack_stream(sequences: Iterable[list[int]], width: int) -> Iterator[tuple[list[int], list[int]]]:
    """Cut a stream of documents into full rows; what is left at the end is dropped."""
    held: list[int] = []
    for sequence in sequences:
        held += sequence
        while len(held) >= width:
            yield held[:width], [ANSWERED] * width
            held = held[width:]


def pack_whole(
    pairs: Iterable[tuple[list[int], list[int]]], width: int, pad: int
) -> Iterator[tuple[list[int], list[int]]]:
    """Put whole dialogues into rows, none cut; one longer than a row is left out."""
    numbers: list[int] = []
    marks: list[int] = []
    for tokens, kinds in pairs:
        if len(tokens) > width:
            continue
        if len(numbers) + len(tokens) > width:
            yield fill(numbers, pad, width), fill(marks, UNREAD, width)
            numbers, marks = [], []
        numbers += tokens
        marks += kinds
    if numbers:
        yield fill(numbers, pad, width), fill(marks, UNREAD, width)


def fill(values: list[int], value: int, width: int) -> list[int]:
    """Lengthen *values* to *width*."""
    return values + [value] * (width - len(values))


def write_rows(path: Path, rows: Iterable[tuple[list[int], list[int]]]) -> int:
    """Write tokens to ``path`` and marks beside it (``.marks``); gives the number of rows."""
    count = 0
    with path.open("wb") as tokens, path.with_suffix(".marks").open("wb") as marks:
        for numbers, kinds in rows:
            tokens.write(np.asarray(numbers, np.uint16).tobytes())
            marks.write(np.asarray(kinds, np.uint8).tobytes())
            count += 1
    return count


def open_rows(path: Path, width: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Map tokens, uint16, and marks, uint8, both of shape (n_rows, width), without reading them."""
    tokens = np.memmap(path, np.uint16, "r").reshape(-1, width)
    marks = np.memmap(path.with_suffix(".marks"), np.uint8, "r").reshape(-1, width)
    return tokens, marks


def rows_in(stage: Stage, optimiser: Optimiser, sequence: int, step: int) -> tuple[int, int]:
    """Text and dialogue rows of a stage before its *step*: shares are kept to within one row."""
    total = step * optimiser.batch_tokens // sequence
    dialogues = int(total * stage.dialogue_share)
    return total - dialogues, dialogues


def cursors(recipe: Recipe, stage_index: int, step: int) -> tuple[int, int]:
    """Text and dialogue rows read before *step* of a stage, earlier stages included."""
    sequence = recipe.shape.sequence
    text, dialogues = rows_in(recipe.stages[stage_index], recipe.optimiser, sequence, step)
    for stage in recipe.stages[:stage_index]:
        more = rows_in(stage, recipe.optimiser, sequence, count_steps(stage, recipe.optimiser))
        text, dialogues = text + more[0], dialogues + more[1]
    return text, dialogues


def choose(first: int, last: int, rows: int, seed: int) -> list[int]:
    """Row numbers for places *first* to *last* of an endless reading, each pass shuffled anew.

    The choice depends on nothing but its arguments, so a resumed run reads what an
    uninterrupted one would have read.
    """
    chosen = []
    for reading in range(first // rows, (max(last - 1, first)) // rows + 1):
        order = np.random.default_rng([seed, reading]).permutation(rows)
        begin, end = max(first - reading * rows, 0), min(last - reading * rows, rows)
        chosen += [int(row) for row in order[begin:end]]
    return chosen
