"""Folders of weights are read before they are loaded; whatever is wrong with one is one clear line."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeur.core.errors import SetupError
from primeur.core.safetensors import read_safetensors_file, read_weights_folder


def tensors(header: object, data: bytes) -> bytes:
    """A file with this header."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


GOOD = tensors(
    {
        "a": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]},
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [12, 16]},
        "__metadata__": {"format": "pt"},
    },
    bytes(16),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small whole model."""
    (tmp_path / "model.safetensors").write_bytes(GOOD)
    (tmp_path / "config.json").write_text('{"model_type": "llama", "max_position_embeddings": 2048}')
    (tmp_path / "tokenizer.json").write_text("{}")
    return tmp_path


def test_a_folder_says_what_it_is(folder: Path) -> None:
    """Architecture, weights, their type and the context."""
    head = read_weights_folder(folder)
    assert (head.architecture, head.parameters, head.quantisation, head.context_tokens) == ("llama", 7, "BF16", 2048)
    assert head.files == ("config.json", "model.safetensors", "tokenizer.json")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl", "modeling_llama.py", "run.sh"])
def test_what_could_run_is_refused(folder: Path, name: str) -> None:
    """Pickles and code, by name."""
    (folder / name).write_bytes(b"")
    with pytest.raises(SetupError, match=name):
        read_weights_folder(folder)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.json", "{", "not JSON"),
        ("config.json", "[]", "not a JSON object"),
        ("model.safetensors.index.json", '{"weight_map": {"a": "model-2.safetensors"}}', "lacks model-2"),
        ("model.safetensors", "", "not a whole safetensors file"),
    ],
)
def test_what_is_damaged_is_named(folder: Path, name: str, text: str, words: str) -> None:
    """One line with the file and the reason."""
    (folder / name).write_text(text)
    with pytest.raises(SetupError, match=words):
        read_weights_folder(folder)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"dtype": "F64X", "shape": [1], "data_offsets": [0, 8]}, "no known dtype"),
        ({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}, "does not fill its place"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}, "does not fill its place"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}, "leave a hole"),
        ({"dtype": "F32", "shape": [1 << 61], "data_offsets": [0, 1 << 63]}, "does not fill its place"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "the file at 8"),
    ],
)
def test_tensors_must_fill_the_file(tmp_path: Path, entry: dict, words: str) -> None:
    """Nothing can hide between them, and no length is trusted."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(tensors({"a": entry}, bytes(8)))
    with pytest.raises(SetupError, match=words):
        read_safetensors_file(path)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, place: int, byte: int) -> None:
    """A flipped byte or a cut end never breaks the reader."""
    for data in (GOOD[:place], GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]):
        path = tmp_path / "x.safetensors"
        path.write_bytes(data)
        try:
            read_safetensors_file(path)
        except SetupError as error:
            assert "x.safetensors" in error.message  # noqa: PT017 (both ends are good)
