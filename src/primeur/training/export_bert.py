"""A sentence encoder of the BERT family (safetensors folder) turned into GGUF for llama.cpp."""

from pathlib import Path

import gguf
import msgspec
import numpy as np
from safetensors.numpy import load_file

from primeur.training.gguf_file import FILE_TYPES, Naming, add_matrix, finish_file, start_file
from primeur.training.rules import ExportFailed

OUTER = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm": "token_embd_norm",
}
INNER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
MEAN_POOLING = 1


class BertShape(msgspec.Struct, frozen=True):
    """The entries of ``config.json`` that matter here."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    layer_norm_eps: float = 1e-12


def export_bert(folder: Path, target: Path, naming: Naming, *, tables: str = "Q8_0", layers: str = "F16") -> None:
    """Write *target* from a folder with ``config.json``, ``vocab.txt`` and ``model.safetensors``.

    Args:
        tables: form of the token table, by far the largest tensor: F32, F16 or Q8_0.
        layers: form of all other matrices.

    Raises:
        ExportFailed: a file is missing or a tensor has no place in llama.cpp's BERT.
    """
    try:
        shape = msgspec.json.decode((folder / "config.json").read_bytes(), type=BertShape)
        tokens = (folder / "vocab.txt").read_text("utf-8").splitlines()
        tensors = load_file(folder / "model.safetensors")
    except (OSError, msgspec.MsgspecError) as fault:
        raise ExportFailed(f"{folder}: not a BERT folder ({fault}); give one with config.json and vocab.txt") from fault
    if not {tables, layers} <= set(FILE_TYPES):
        raise ExportFailed(f"form {tables} or {layers}: unknown; choose among {', '.join(FILE_TYPES)}")
    writer = start_file(target, "bert", naming)
    writer.add_file_type(FILE_TYPES[layers])
    describe(writer, shape)
    add_word_pieces(writer, tokens)
    for source, values in sorted(tensors.items()):
        place = rename(source.removeprefix("bert."))
        if place is not None:
            add_matrix(writer, place, values.astype(np.float32), choose_form(place, tables, layers))
    finish_file(writer)


def choose_form(place: str, tables: str, layers: str) -> str:
    """The token table may be coarser than the rest; the small position and type tables stay exact."""
    if place == "token_embd.weight":
        return tables
    return "F32" if place in {"position_embd.weight", "token_types.weight"} else layers


def describe(writer: gguf.GGUFWriter, shape: BertShape) -> None:
    """Shape and pooling."""
    writer.add_context_length(shape.max_position_embeddings)
    writer.add_embedding_length(shape.hidden_size)
    writer.add_feed_forward_length(shape.intermediate_size)
    writer.add_block_count(shape.num_hidden_layers)
    writer.add_head_count(shape.num_attention_heads)
    writer.add_layer_norm_eps(shape.layer_norm_eps)
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType(MEAN_POOLING))


def add_word_pieces(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    """WordPiece as llama.cpp reads it: beginnings marked with U+2581, continuations bare."""
    special = {token for token in tokens if token.startswith("[") and token.endswith("]") and len(token) > 2}
    writer.add_tokenizer_model("bert")
    writer.add_token_list([respell(token, special) for token in tokens])
    kinds = [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens]
    writer.add_token_types(kinds)
    writer.add_token_type_count(2)
    places = {token: number for number, token in enumerate(tokens)}
    writer.add_bos_token_id(places["[CLS]"])
    writer.add_sep_token_id(places["[SEP]"])
    writer.add_eos_token_id(places["[SEP]"])
    writer.add_unk_token_id(places["[UNK]"])
    writer.add_pad_token_id(places["[PAD]"])
    writer.add_mask_token_id(places["[MASK]"])


def respell(token: str, special: set[str]) -> str:
    """``##ing`` becomes ``ing``, ``go`` becomes ``▁go``, special tokens stay."""
    if token in special:
        return token
    return token[2:] if token.startswith("##") else f"\u2581{token}"


def rename(name: str) -> str | None:
    """llama.cpp's name of a BERT tensor; None for what a sentence encoder does not use.

    Raises:
        ExportFailed: the name is unknown.
    """
    if name.startswith(("pooler.", "cls.")) or name.endswith("position_ids"):
        return None
    for start, place in OUTER.items():
        if name.startswith(start):
            return place + name.removeprefix(start)
    parts = name.split(".", 3)
    if parts[:2] == ["encoder", "layer"]:
        for start, place in INNER.items():
            if parts[3].startswith(f"{start}."):
                return f"blk.{parts[2]}.{place}{parts[3].removeprefix(start)}"
    raise ExportFailed(f"tensor {name}: no place for it in llama.cpp's BERT; convert a plain BERT encoder")
