"""Rows, tokens and tensors: what needs the extra ``train`` to be checked."""

import pytest

pytestmark = pytest.mark.train
np = pytest.importorskip("numpy", reason="needs the extra: pip install 'primeur[train]'")
pytest.importorskip("torch", reason="needs the extra: pip install 'primeur[train]'")
pytest.importorskip("tokenizers", reason="needs the extra: pip install 'primeur[train]'")

from primeur.training import export, export_bert, packing, tokenizer  # noqa: E402 - only with the extra
from primeur.training.chat_form import Turn  # noqa: E402
from primeur.training.rules import ExportFailed  # noqa: E402

TEXTS = ["The river is 1234 long.", "La rivière est longue de 1234 pas.", "the dog and the river"] * 30


def test_the_permutation_is_undone_by_its_inverse():
    """Queries keep every row; interleaving pairs up (i, i + half)."""
    rows = np.arange(12 * 3, dtype=np.float32).reshape(12, 3)
    mixed = export.interleave(rows, heads=2)
    assert mixed[:4, 0].tolist() == [0, 9, 3, 12]
    halves = mixed.reshape(2, 3, 2, 3).swapaxes(1, 2).reshape(rows.shape)
    assert (halves == rows).all()


def test_no_token_spans_two_digits():
    """Numbers are read digit by digit, accents and emoji come back whole."""
    learned = tokenizer.train_tokenizer(TEXTS, 400)
    assert learned.encode("1234").tokens == ["1", "2", "3", "4"]
    for text in ("naïve café 🐶\n\ttabs  ", "1234 pas"):
        assert learned.decode(learned.encode(text, add_special_tokens=False).ids) == text


def test_only_answers_are_marked_as_answered():
    """The assistant's words and its end mark count, what it was asked does not."""
    learned = tokenizer.train_tokenizer(TEXTS, 400)
    numbers, marks = tokenizer.encode_dialogue(learned, [Turn("user", "dog"), Turn("assistant", "river")])
    answered = [number for number, mark in zip(numbers, marks, strict=True) if mark == packing.ANSWERED]
    assert answered == [*learned.encode("river", add_special_tokens=False).ids, learned.token_to_id("<|end|>")]


def test_dialogues_are_never_cut():
    """What does not fit goes to the next row; what fits no row is left out."""
    pairs = [([1] * 5, [2] * 5), ([2] * 4, [2] * 4), ([3] * 11, [2] * 11), ([4] * 9, [1] * 9)]
    rows = list(packing.pack_whole(pairs, 10, pad=0))
    assert [row for row, _ in rows] == [[1] * 5 + [2] * 4 + [0], [4] * 9 + [0]]
    assert rows[0][1][-1] == packing.UNREAD


def test_each_row_is_read_once_a_pass():
    """Any way of cutting the reading into steps sees the same rows in the same order."""
    whole = packing.choose(0, 25, 10, seed=1)
    assert sorted(whole[:10]) == sorted(whole[10:20]) == list(range(10))
    pieces = [row for start in range(0, 25, 4) for row in packing.choose(start, min(start + 4, 25), 10, seed=1)]
    assert pieces == whole


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("embeddings.word_embeddings.weight", "token_embd.weight"),
        ("bert.encoder.layer.3.attention.self.query.bias".removeprefix("bert."), "blk.3.attn_q.bias"),
        ("encoder.layer.0.output.LayerNorm.weight", "blk.0.layer_output_norm.weight"),
        ("pooler.dense.weight", None),
    ],
)
def test_bert_tensors_find_their_place(name, place):
    """llama.cpp's names for BERT; what an encoder does not use is dropped."""
    assert export_bert.rename(name) == place


def test_an_unknown_tensor_is_named():
    """A model that is no BERT is refused."""
    with pytest.raises(ExportFailed, match=r"tensor encoder\.block\.0\.q"):
        export_bert.rename("encoder.block.0.q")
