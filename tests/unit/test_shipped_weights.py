"""The models that come with the program: what the manifest says of them is so."""

import hashlib
import tomllib
from importlib import resources

import pytest

from primeur.core.gguf import read_gguf_file

FOLDER = resources.files("primeur.weights")
MODELS = tomllib.loads((FOLDER / "manifest.toml").read_text("utf-8"))["models"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_the_manifest_tells_the_truth(model):
    """Digest, size, context and licence are those of the file; a card lies beside it."""
    data = (FOLDER / model["file"]).read_bytes()
    head = read_gguf_file(FOLDER / model["file"])
    assert hashlib.sha256(data).hexdigest() == model["sha256"]
    assert (head.parameters, head.context_tokens) == (model["parameters"], model["context"])
    assert head.metadata["general.license"] == model["licence"].lower()
    assert "can't do" in (FOLDER / model["card"]).read_text("utf-8")


def test_the_starter_is_small_and_speaks_the_chat_form():
    """At most 30 MB, prompts of 16,384 tokens, a template of its own, and a mark at which answers end."""
    head = read_gguf_file(FOLDER / "starter.gguf")
    assert head.size_bytes <= 30_000_000
    assert head.context_tokens >= 16_384
    assert head.chat_template
    assert "<|assistant|>" in head.chat_template
    assert head.metadata["tokenizer.ggml.eos_token_id"] == head.metadata["tokenizer.ggml.eot_token_id"]
