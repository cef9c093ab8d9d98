"""Write small GGUF files with random weights: they babble in ASCII, and every path of an engine runs on them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, LlamaFileType, PoolingType, TokenType

WIDTH, LAYERS, HEADS, HIDDEN, CONTEXT = 64, 2, 4, 128, 32_768
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_letters() -> list[str]:
    """The 256 printable letters that byte-level BPE (GPT-2) writes bytes with, in byte order."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte if byte in plain else next(spare)) for byte in range(256)]


def write_llama(path: Path, *, fill_in_middle: bool = True, seed: int = 7) -> Path:
    """A Llama of 0.1 M weights with a byte-level vocabulary and a ChatML template."""
    writer = GGUFWriter(path, "llama")
    specials = SPECIALS if fill_in_middle else SPECIALS[:3]
    merges = ["e r", "i n", "t h"]
    tokens = [*byte_letters(), *(m.replace(" ", "") for m in merges), *specials]
    writer.add_name("Tiny")
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    normal = len(tokens) - len(specials)
    writer.add_token_types([TokenType.NORMAL] * normal + [TokenType.CONTROL] * len(specials))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(normal)
    writer.add_eos_token_id(normal + 2)
    writer.add_add_bos_token(False)  # noqa: FBT003 - the package's own signature
    writer.add_chat_template(TEMPLATE)
    _add_llama_weights(writer, len(tokens), seed)
    return _close(writer, path)


def write_bert(path: Path, *, seed: int = 7) -> Path:
    """A BERT with mean pooling and a WordPiece vocabulary of letters."""
    writer = GGUFWriter(path, "bert")
    letters = [chr(code) for code in range(97, 123)]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *("\u2581" + x for x in letters), *letters]
    writer.add_name("Tiny vectors")
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)  # noqa: FBT003 - the package's own signature
    writer.add_pooling_type(PoolingType.MEAN)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL] * 5 + [TokenType.NORMAL] * (len(tokens) - 5))
    # The format's own spelling of "separator".
    for name, place in {"padding": 0, "unknown": 1, "bos": 2, "cls": 2, "eos": 3, "seperator": 3, "mask": 4}.items():
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", place)
    writer.add_uint32("tokenizer.ggml.token_type_count", 2)
    _add_bert_weights(writer, len(tokens), seed)
    return _close(writer, path)


def _close(writer: GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_llama_weights(writer: GGUFWriter, vocabulary: int, seed: int) -> None:
    shapes = {"token_embd": (vocabulary, WIDTH), "output": (vocabulary, WIDTH), "output_norm": (WIDTH,)}
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        shapes |= {block + f"attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
        shapes |= {block + "attn_norm": (WIDTH,), block + "ffn_norm": (WIDTH,), block + "ffn_down": (WIDTH, HIDDEN)}
        shapes |= {block + "ffn_gate": (HIDDEN, WIDTH), block + "ffn_up": (HIDDEN, WIDTH)}
    _add(writer, {f"{name}.weight": shape for name, shape in shapes.items()}, seed)


def _add_bert_weights(writer: GGUFWriter, vocabulary: int, seed: int) -> None:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, WIDTH),
        "token_types.weight": (2, WIDTH),
        "position_embd.weight": (512, WIDTH),
    }
    sizes = {f"attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
    sizes |= {"ffn_up": (HIDDEN, WIDTH), "ffn_down": (WIDTH, HIDDEN)}
    for name, shape in sizes.items():
        shapes |= {f"blk.0.{name}.weight": shape, f"blk.0.{name}.bias": shape[:1]}
    for name in ("token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"):
        shapes |= {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}
    _add(writer, shapes, seed)


def _add(writer: GGUFWriter, shapes: dict[str, tuple[int, ...]], seed: int) -> None:
    dice = np.random.default_rng(seed)
    for name, shape in shapes.items():
        centre = 1.0 if name.endswith("norm.weight") else 0.0
        weights = dice.normal(centre, 0.1, shape).astype(np.float32)
        if name in _FIRST_COLUMN:
            # The first of a state is the same for all, and speaks for the bytes of printable ASCII: a token that is
            # half a character has no text yet, and some servers tell nothing of it.
            weights[:, 0] = _FIRST_COLUMN[name](np.arange(shape[0]))
        writer.add_tensor(name, weights)


_FIRST_COLUMN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "token_embd.weight": lambda places: np.ones(len(places)),
    "output.weight": lambda places: np.where((places >= 32) & (places < 127), 2.0, -2.0),
}


def write_llama_folder(folder: Path, *, heads: int = HEADS, seed: int = 7) -> Path:
    """As `write_llama`, as transformers has it: config, tokenizer and safetensors in a folder; needs PyTorch."""
    import torch  # noqa: PLC0415 (an extra)
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: PLC0415

    letters = {letter: place for place, letter in enumerate(byte_letters())}
    tokenizer = Tokenizer(models.BPE(vocab=letters, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=SPECIALS[2], additional_special_tokens=list(SPECIALS[:2])
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    shape = {"hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_hidden_layers": LAYERS}
    parts = {"num_attention_heads": heads, "num_key_value_heads": heads}
    config = LlamaConfig(
        **shape, **parts, vocab_size=len(fast), max_position_embeddings=2048, eos_token_id=fast.eos_token_id
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
