"""What Ollama and Hugging Face have fetched is found by its own layout."""

import json
from pathlib import Path

import pytest

from primeur.cli.model_caches import find_huggingface, find_ollama
from primeur.core.errors import SetupError


def test_ollamas_models_are_named_by_their_tag(tmp_path: Path) -> None:
    """The layer of weights is what counts; a manifest without one, or without its blob, is none."""
    folder = tmp_path / "manifests" / "registry.example.org" / "library" / "tiny"
    folder.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + "a" * 64}
    (folder / "7b").write_text(json.dumps({"layers": [{"mediaType": "text", "digest": "x"}, layer]}))
    (folder / "lost").write_text(json.dumps({"layers": [layer | {"digest": "sha256:" + "b" * 64}]}))
    (folder / "torn").write_text("{")
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / ("sha256-" + "a" * 64)).write_bytes(b"GGUF")
    (found,) = find_ollama(tmp_path)
    assert (found.name, found.path.name, found.files) == ("tiny:7b", "sha256-" + "a" * 64, ())
    assert found.sha256 == "a" * 64


def test_hugging_faces_snapshots_are_files_or_folders(tmp_path: Path) -> None:
    """A GGUF file by itself; safetensors with their neighbours, without pickles and code."""
    snapshot = tmp_path / "models--maker--tiny" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    for name in ("q8.gguf", "model.safetensors", "config.json", "pytorch_model.bin", "modeling.py", ".gitattributes"):
        (snapshot / name).write_bytes(b"")
    (tmp_path / "models--maker--empty").mkdir()
    blob = tmp_path / "models--maker--tiny" / "blobs" / ("c" * 64)
    blob.parent.mkdir()
    blob.write_bytes(b"")
    (snapshot / "q4.gguf").symlink_to(blob)
    folder, linked, file = find_huggingface(tmp_path)
    assert (linked.name, linked.sha256, file.sha256) == ("tiny:q4", "c" * 64, "")
    assert (folder.name, folder.files) == ("tiny", ("config.json", "model.safetensors"))
    assert (file.name, file.path.name, file.origin) == ("tiny:q8", "q8.gguf", "huggingface maker/tiny abc")


def test_a_cache_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what to do."""
    for find in (find_ollama, find_huggingface):
        with pytest.raises(SetupError, match="no such cache"):
            find(tmp_path / "nowhere")
