"""The GGUF reader: what it finds, and what it says about damaged files."""

import contextlib
import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import SetupError
from primeur.core.gguf import GgufHead, read_gguf, read_gguf_file


def text(word: str) -> bytes:
    """A string as GGUF writes it."""
    data = word.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key: str, value: object) -> bytes:
    """One metadata entry: text, integer, boolean, or a list of texts or integers."""
    if isinstance(value, bool):
        return text(key) + struct.pack("<IB", 7, value)
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    assert isinstance(value, list)
    words = bool(value) and isinstance(value[0], str)
    items = b"".join(text(v) if words else struct.pack("<I", v) for v in value)
    return text(key) + struct.pack("<IIQ", 9, 8 if words else 4, len(value)) + items


def file_of(metadata: dict[str, object], tensors: dict[str, tuple[int, list[int]]], data: int = 4096) -> bytes:
    """A whole small GGUF file; tensors are type and dimensions by name, all at offset 0."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(entry(key, value) for key, value in metadata.items())
    for name, (kind, sizes) in tensors.items():
        head += text(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind, 0)
    return head + bytes(data)


LLAMA: dict[str, object] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "llama.context_length": 2048,
    "llama.block_count": 3,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ["a", "b", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
    "tokenizer.chat_template": "{{ messages }}",
    "tokenizer.ggml.add_bos_token": True,
}
CLAIMS_ONE_ENTRY = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)


def read(data: bytes) -> GgufHead:
    """Read a file that lies in memory."""
    return read_gguf(io.BytesIO(data), len(data), "tiny.gguf")


def test_the_head_tells_what_the_weights_are() -> None:
    """Architecture, context, parameters, quantisation, template and fill-in-the-middle tokens are found."""
    head = read(file_of(LLAMA, {"token_embd.weight": (8, [64, 32]), "norm.weight": (0, [64])}))
    assert (head.architecture, head.name, head.kind, head.context_tokens) == ("llama", "Tiny", "model", 2048)
    assert (head.parameters, head.quantisation, head.vocabulary) == (64 * 32 + 64, "Q8_0", 5)
    assert head.chat_template == "{{ messages }}"
    assert head.fim_tokens == ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
    assert not head.pools
    assert head.metadata["tokenizer.ggml.add_bos_token"] is True


def test_the_cache_size_follows_layers_and_shared_heads() -> None:
    """Two of four heads of 16 numbers, keys and values, in three layers."""
    assert read(file_of(LLAMA, {})).cache_elements_per_token == 2 * (16 + 16) * 3


def test_heads_listed_per_layer_are_summed() -> None:
    """A list of heads stands for its layers; the layer count is not applied twice."""
    head = read(file_of({**LLAMA, "llama.attention.head_count_kv": [1, 2, 3]}, {}))
    assert head.cache_elements_per_token == (1 + 2 + 3) * 32


def test_a_bert_pools() -> None:
    """A model with a pooling type makes vectors."""
    assert read(file_of({"general.architecture": "bert", "bert.pooling_type": 1}, {})).pools


def test_long_lists_are_walked_over_and_not_kept() -> None:
    """A vocabulary's scores would fill memory for nothing."""
    head = read(file_of({**LLAMA, "tokenizer.ggml.token_type": [1] * 1000}, {}))
    assert "tokenizer.ggml.token_type" not in head.metadata


def test_the_file_type_names_the_mixture() -> None:
    """Mixtures such as Q4_K_M are known by the file's own number."""
    head = read(file_of({**LLAMA, "general.file_type": 15}, {"t": (12, [256])}))
    assert head.quantisation == "Q4_K_M"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PK\x03\x04" + bytes(100), "does not begin with GGUF"),
        (b"", "ends after 0 bytes"),
        (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "version 9"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "claims"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "architecture"),
        (file_of({**LLAMA, "general.alignment": 0}, {}), "alignment"),
        (file_of(LLAMA, {"t": (99, [2, 2, 2, 2, 2])}), "5 dimensions"),
        (CLAIMS_ONE_ENTRY + text("k") + struct.pack("<I", 44), "unknown type 44"),
        (CLAIMS_ONE_ENTRY + text("k") + struct.pack("<IIQ", 9, 9, 1), "unsupported type 9"),
        (CLAIMS_ONE_ENTRY + text("k") + struct.pack("<IIQ", 9, 4, 1 << 40), "claims"),
        (CLAIMS_ONE_ENTRY + text("k") + struct.pack("<IIQ", 9, 4, 1 << 20), "ends after"),
        (CLAIMS_ONE_ENTRY + struct.pack("<Q", 1 << 50), "claims"),
    ],
)
def test_damage_is_named(data: bytes, reason: str) -> None:
    """Each kind of damage is one clear line that names the file."""
    with pytest.raises(SetupError, match=reason) as caught:
        read(data)
    assert "tiny.gguf" in caught.value.message


def test_a_file_cut_short_is_truncated() -> None:
    """The tensors' own sizes say how long a file must be."""
    data = file_of(LLAMA, {"t": (0, [1024])}, data=4096)
    read(data + bytes(32))
    with pytest.raises(SetupError, match="truncated"):
        read(data[:-40])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path is in the error."""
    with pytest.raises(SetupError, match=r"gone\.gguf cannot be read"):
        read_gguf_file(tmp_path / "gone.gguf")


def test_a_file_on_disk_is_read(tmp_path: Path) -> None:
    """The size on disk is the size checked against."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(file_of(LLAMA, {}))
    assert read_gguf_file(path).size_bytes == path.stat().st_size


@given(st.integers(0, 400), st.binary(min_size=1, max_size=12), st.integers(0, 4600))
def test_any_damage_is_either_read_or_refused(at: int, noise: bytes, cut: int) -> None:
    """Random bytes over the head, and a random end, never lead to another error or to a long wait."""
    data = bytearray(file_of(LLAMA, {"t": (8, [64, 32])}))
    data[at : at + len(noise)] = noise
    with contextlib.suppress(SetupError):
        assert read(bytes(data[:cut])).architecture
