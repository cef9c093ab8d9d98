"""A run's folder turned into what others use: weights in both forms, figures, a card."""

from pathlib import Path

import msgspec
from tokenizers import Tokenizer

from primeur.training import card, judge, prepare
from primeur.training.export import export_folder, export_gguf
from primeur.training.model import Llama
from primeur.training.prepare import Prepared
from primeur.training.pretrain import CHECKPOINT, read_weights
from primeur.training.rules import ExportFailed, Recipe, count_parameters, perplexity, tokens_by_stage
from primeur.training.tokenizer import load_tokenizer

MEASURED = "run.json"


def publish(recipe: Recipe, folder: Path, machine: str) -> list[Path]:
    """Write ``NAME.gguf``, ``NAME.md``, ``run.json`` and the folder ``NAME`` from the newest checkpoint.

    Raises:
        ExportFailed: there is no checkpoint yet.
    """
    if not (folder / CHECKPOINT).is_file():
        raise ExportFailed(f"{folder}: no checkpoint to export; run 'primeur train pretrain' with this --out first")
    model = Llama(recipe.shape, recipe.vocabulary.size)
    step, seconds = read_weights(model, folder)
    tokenizer = load_tokenizer(folder / prepare.TOKENIZER)
    gguf, page = folder / f"{recipe.name}.gguf", folder / f"{recipe.name}.md"
    export_gguf(model, tokenizer, recipe, gguf)
    export_folder(model, tokenizer, recipe, folder / recipe.name)
    measured = measure(recipe, folder, model, tokenizer, (step, seconds, machine))
    (folder / MEASURED).write_bytes(msgspec.json.format(msgspec.json.encode(measured)) + b"\n")
    page.write_text(card.write_card(recipe, measured), "utf-8")
    return [gguf, page, folder / MEASURED, folder / recipe.name]


def measure(
    recipe: Recipe, folder: Path, model: Llama, tokenizer: Tokenizer, spent: tuple[int, float, str]
) -> card.Measured:
    """Everything the card tells; *spent* is steps, seconds and a machine in words."""
    prepared = msgspec.json.decode((folder / prepare.PREPARED).read_bytes(), type=Prepared)
    loss, answer_loss = judge.measure_held_out(model, recipe, folder)
    step, seconds, machine = spent
    return card.Measured(
        parameters=count_parameters(recipe.shape, recipe.vocabulary.size),
        tokens_by_stage=tokens_by_stage(recipe, step),
        text_tokens=prepared.text_tokens,
        text_bytes=prepared.text_bytes,
        dialogues=prepared.dialogues,
        seconds=seconds,
        machine=machine,
        held_out_loss=loss,
        held_out_perplexity=perplexity(loss),
        bytes_per_token=prepared.held_out_bytes / prepared.held_out_tokens,
        answer_loss=answer_loss,
        by_position=judge.measure_positions(model, recipe, tokenizer, folder),
        probes=[(asked, judge.answer(model, tokenizer, asked)) for asked in recipe.probes],
    )
