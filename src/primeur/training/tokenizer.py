"""Byte-level BPE that knows the chat form's marks."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from primeur.training.chat_form import END, SPECIAL, START, Turn
from primeur.training.rules import RecipeFault


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Learn *size* tokens; no token spans two digits, so numbers are read digit by digit.

    llama.cpp and transformers split with GPT-2's own pattern; because no merge joins digits,
    splitting them off here changes nothing there.
    """
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.pre_tokenizer = split
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        max_token_length=16,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Read ``tokenizer.json``."""
    return Tokenizer.from_file(str(path))


def identify(tokenizer: Tokenizer, token: str) -> int:
    """Number of a mark.

    Raises:
        RecipeFault: the tokenizer was made elsewhere.
    """
    number = tokenizer.token_to_id(token)
    if number is None:
        raise RecipeFault(f"tokenizer: it lacks the mark {token}; give the one this run was prepared with")
    return int(number)


def encode_texts(tokenizer: Tokenizer, texts: Sequence[str], chunk: int = 512) -> Iterator[list[int]]:
    """Token numbers of each text, start and end marks around it."""
    start, end = identify(tokenizer, START), identify(tokenizer, END)
    for first in range(0, len(texts), chunk):
        for encoding in tokenizer.encode_batch(list(texts[first : first + chunk]), add_special_tokens=False):
            yield [start, *encoding.ids, end]


def encode_dialogue(tokenizer: Tokenizer, turns: Sequence[Turn]) -> tuple[list[int], list[int]]:
    """Token numbers and, for each, 2 where the assistant speaks (its end mark too) and 1 elsewhere."""
    numbers, marks = [identify(tokenizer, START)], [1]
    end = identify(tokenizer, END)
    for turn in turns:
        said = [*tokenizer.encode(turn.text, add_special_tokens=False).ids, end]
        numbers += [identify(tokenizer, f"<|{turn.role}|>"), *said]
        marks += [1, *[2 if turn.role == "assistant" else 1] * len(said)]
    return numbers, marks
