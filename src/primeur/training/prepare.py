"""From sources to rows of tokens on disk: what has to be done once before learning."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from tokenizers import Tokenizer

from primeur.training import corpus, packing
from primeur.training import tokenizer as tokens
from primeur.training.chat_form import PAD, Turn
from primeur.training.corpus import Document
from primeur.training.dialogues import make_dialogues
from primeur.training.facts import PACKAGES, read_facts
from primeur.training.rules import Recipe, RecipeFault

PREPARED, TOKENIZER = "prepared.json", "tokenizer.json"
TEXT, HELD_OUT, DIALOGUES, HELD_OUT_DIALOGUES = "text.bin", "held_out.bin", "dialogues.bin", "held_out_dialogues.bin"
SAMPLE_DIALOGUES, FRESH_DIALOGUES = 30_000, 600
Tell = Callable[[str], None]


class Prepared(msgspec.Struct, frozen=True):
    """What lies in the run's folder; *text_bytes* by ``package/language``, after deduplication."""

    digest: str
    text_tokens: int
    held_out_tokens: int
    held_out_bytes: int
    text_bytes: dict[str, int]
    dialogues: int


def digest_data(recipe: Recipe) -> str:
    """Mark of all that decides the rows, so that a run is not resumed over other ones."""
    parts = [
        recipe.sources,
        recipe.vocabulary,
        recipe.dialogues,
        recipe.held_out_share,
        recipe.seed,
        recipe.shape.sequence,
    ]
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def prepare(recipe: Recipe, data: Path, out: Path, tell: Tell) -> Prepared:
    """Read, split, learn the tokenizer and write the rows, unless that was done before.

    Raises:
        RecipeFault: *out* holds the rows of another recipe.
        CorpusMissing: a package cannot be had.
    """
    done = out / PREPARED
    if done.is_file():
        prepared = msgspec.json.decode(done.read_bytes(), type=Prepared)
        if prepared.digest != digest_data(recipe):
            raise RecipeFault(f"{out} was prepared from other sources; give another --out, or the recipe it began with")
        return prepared
    fetch_all(recipe, data, tell)
    kept, held_out = split(recipe, data, tell)
    dialogues, fresh = converse(recipe, data)
    tell(f"learning {recipe.vocabulary.size} tokens")
    tokenizer = tokens.train_tokenizer(sample(recipe, kept, dialogues), recipe.vocabulary.size)
    tokenizer.save(str(out / TOKENIZER))
    tell("writing rows")
    prepared = write_all(recipe, tokenizer, out, (kept, held_out), (dialogues, fresh))
    done.write_bytes(msgspec.json.encode(prepared))
    return prepared


def fetch_all(recipe: Recipe, data: Path, tell: Tell) -> None:
    """Have every package that the text and the dialogues need."""
    data.mkdir(parents=True, exist_ok=True)
    wanted = [source.package for source in recipe.sources] + (list(PACKAGES) if recipe.dialogues else [])
    for package in dict.fromkeys(wanted):
        if not (data / package).is_dir():
            tell(f"fetching {package}")
            corpus.fetch(package, data)


def split(recipe: Recipe, data: Path, tell: Tell) -> tuple[list[Document], list[Document]]:
    """Training documents, repeated as the recipe asks and shuffled, and held-out ones."""
    repeats: dict[tuple[str, str], int] = {
        (source.package, source.language): source.repeat for source in recipe.sources
    }
    kept: list[Document] = []
    held_out: list[Document] = []
    for document in corpus.deduplicate(read_all(recipe, data, tell)):
        if corpus.is_held_out(document, recipe.held_out_share):
            held_out.append(document)
        else:
            kept += [document] * repeats[document.package, document.language]
    order = np.random.default_rng(recipe.seed).permutation(len(kept))
    return [kept[place] for place in order], held_out


def read_all(recipe: Recipe, data: Path, tell: Tell) -> Iterator[Document]:
    """Documents of all sources in the recipe's order."""
    for source in recipe.sources:
        tell(f"reading {source.package} ({source.language})")
        yield from corpus.read_source(source, data)


def converse(recipe: Recipe, data: Path) -> tuple[list[tuple[Turn, ...]], list[tuple[Turn, ...]]]:
    """Dialogues to learn from, and fresh ones of another seed to measure with."""
    if not recipe.dialogues:
        return [], []
    facts = read_facts(data)
    fresh = make_dialogues(facts, min(FRESH_DIALOGUES, recipe.dialogues), recipe.seed + 1)
    return list(make_dialogues(facts, recipe.dialogues, recipe.seed)), list(fresh)


def sample(recipe: Recipe, kept: list[Document], dialogues: list[tuple[Turn, ...]]) -> Iterator[str]:
    """What the tokenizer is learned from: some dialogues, and text up to the recipe's bound."""
    for dialogue in dialogues[:SAMPLE_DIALOGUES]:
        yield "\n".join(turn.text for turn in dialogue)
    size = 0
    for document in kept:
        text = corpus.text_of(document)
        size += len(text)
        if size > recipe.vocabulary.sample_mb * 1e6:
            return
        yield text


def write_all(
    recipe: Recipe,
    tokenizer: Tokenizer,
    out: Path,
    documents: tuple[list[Document], list[Document]],
    dialogues: tuple[list[tuple[Turn, ...]], list[tuple[Turn, ...]]],
) -> Prepared:
    """Write the four files of rows."""
    width, pad = recipe.shape.sequence + 1, tokens.identify(tokenizer, PAD)
    rows = []
    for name, group in zip((TEXT, HELD_OUT), documents, strict=True):
        texts = [corpus.text_of(document) for document in group]
        rows.append(packing.write_rows(out / name, packing.pack_stream(tokens.encode_texts(tokenizer, texts), width)))
    for name, talks in zip((DIALOGUES, HELD_OUT_DIALOGUES), dialogues, strict=True):
        pairs = (tokens.encode_dialogue(tokenizer, turns) for turns in talks)
        packing.write_rows(out / name, packing.pack_whole(pairs, width, pad))
    if not all(rows):
        raise RecipeFault(f"recipe {recipe.name}: too little text for one row of {width} tokens; add sources")
    held_out_bytes = sum(len(corpus.text_of(document).encode()) for document in documents[1])
    return Prepared(
        digest=digest_data(recipe),
        text_tokens=rows[0] * width,
        held_out_tokens=rows[1] * width,
        held_out_bytes=held_out_bytes,
        text_bytes=weigh(documents[0]),
        dialogues=len(dialogues[0]),
    )


def weigh(documents: list[Document]) -> dict[str, int]:
    """Bytes of distinct text by ``package/language``."""
    sizes: dict[str, int] = {}
    for document in {(one.package, one.name): one for one in documents}.values():
        place = f"{document.package}/{document.language}"
        sizes[place] = sizes.get(place, 0) + len(corpus.text_of(document).encode())
    return sizes
