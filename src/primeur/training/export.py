"""Trained weights written as a folder for transformers and as GGUF for llama.cpp."""

import json
from pathlib import Path

import gguf
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from tokenizers import Tokenizer

from primeur.training.chat_form import CHAT_TEMPLATE, END, PAD, SPECIAL, START
from primeur.training.gguf_file import FILE_TYPES, Naming, add_matrix, finish_file, start_file
from primeur.training.model import EPSILON, Llama
from primeur.training.rules import Recipe, Shape
from primeur.training.tokenizer import identify

LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def interleave(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Reorder a query or key matrix from halves (i, i + half) to neighbours (2i, 2i + 1).

    llama.cpp's Llama turns neighbouring pairs, transformers' turns halves; shape (heads x head, width) stays.
    """
    split = rows.reshape(heads, 2, rows.shape[0] // heads // 2, rows.shape[1])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(rows.shape))


def rename(name: str) -> str:
    """llama.cpp's name for one of transformers' Llama parameters."""
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{LAYER_NAMES[rest.removesuffix('.weight')]}.weight"


def export_gguf(model: Llama, tokenizer: Tokenizer, recipe: Recipe, target: Path, form: str = "Q8_0") -> None:
    """Write one self-contained file: weights, vocabulary, chat template."""
    shape = recipe.shape
    writer = start_file(target, "llama", Naming(recipe.name, recipe.licence, tuple(recipe.languages)))
    writer.add_file_type(FILE_TYPES[form])
    describe(writer, shape, recipe.vocabulary.size)
    add_vocabulary(writer, tokenizer)
    for name, weight in model.state_dict().items():
        values = weight.float().numpy()
        if name.endswith("q_proj.weight"):
            values = interleave(values, shape.heads)
        elif name.endswith("k_proj.weight"):
            values = interleave(values, shape.key_heads)
        add_matrix(writer, rename(name), values, form)
    finish_file(writer)


def describe(writer: gguf.GGUFWriter, shape: Shape, vocabulary: int) -> None:
    """Shape and positions."""
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_block_count(shape.layers)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_vocab_size(vocabulary)


def add_vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    """Byte-level BPE as llama.cpp's ``gpt2``; the end mark ends texts and turns alike."""
    content = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(content["vocab"], key=content["vocab"].__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in SPECIAL else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in content["merges"]])
    writer.add_bos_token_id(identify(tokenizer, START))
    writer.add_eos_token_id(identify(tokenizer, END))
    writer.add_eot_token_id(identify(tokenizer, END))
    writer.add_pad_token_id(identify(tokenizer, PAD))
    writer.add_add_bos_token(value=True)
    writer.add_add_eos_token(value=False)
    writer.add_chat_template(CHAT_TEMPLATE)


def export_folder(model: Llama, tokenizer: Tokenizer, recipe: Recipe, target: Path) -> None:
    """Write what ``AutoModelForCausalLM.from_pretrained`` and ``AutoTokenizer`` read, weights in bfloat16."""
    target.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.to(torch.bfloat16).contiguous() for name, weight in model.state_dict().items()}
    save_file(weights, target / "model.safetensors", {"format": "pt"})
    tokenizer.save(str(target / "tokenizer.json"))
    settings = configure(recipe, tokenizer)
    for name, content in settings.items():
        (target / name).write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
    (target / "chat_template.jinja").write_text(CHAT_TEMPLATE, "utf-8")


def configure(recipe: Recipe, tokenizer: Tokenizer) -> dict[str, dict[str, object]]:
    """Contents of ``config.json``, ``generation_config.json`` and ``tokenizer_config.json``."""
    shape, marks = recipe.shape, {"bos_token_id": identify(tokenizer, START), "eos_token_id": identify(tokenizer, END)}
    model = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.width,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_heads,
        "head_dim": shape.width // shape.heads,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": EPSILON,
        "rope_theta": shape.rope_base,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_base},
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "vocab_size": recipe.vocabulary.size,
        "torch_dtype": "bfloat16",
        "pad_token_id": identify(tokenizer, PAD),
        **marks,
    }
    words = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": START,
        "eos_token": END,
        "pad_token": PAD,
        "model_max_length": shape.context,
        "clean_up_tokenization_spaces": False,
    }
    return {"config.json": model, "generation_config.json": {**marks}, "tokenizer_config.json": dict(words)}
