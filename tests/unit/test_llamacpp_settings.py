"""The llamacpp engine's settings: checked by name, completed from the machine and the weights."""

from dataclasses import replace
from pathlib import Path

import pytest

from primeur.core.errors import SetupError
from primeur.core.gguf import GgufHead
from primeur.core.ports import EngineOrder
from primeur.engines.llamacpp_settings import LlamaSettings, plan_llama
from primeur.engines.settings import convert_settings

GIB = 1 << 30
HEAD = GgufHead(
    version=3,
    kind="model",
    architecture="llama",
    name="m",
    metadata={"llama.block_count": 4, "llama.embedding_length": 512, "llama.attention.head_count": 8},
    parameters=10,
    quantisation="Q8_0",
    context_tokens=16_384,
    vocabulary=100,
    chat_template=None,
    fim_tokens=None,
    size_bytes=10 << 20,
)


def plan(head: GgufHead = HEAD, memory: int = 8 * GIB, cores: int = 4, **settings: object):
    """What is decided for some settings."""
    order = EngineOrder("rev", "m", Path("m.gguf"), settings, cores, memory, Path("log"))
    return plan_llama(convert_settings("llamacpp", settings, LlamaSettings), head, order)


def test_one_core_is_left_to_others() -> None:
    """Threads = cores collapses as soon as something else runs."""
    assert plan(cores=4).threads == 3
    assert plan(cores=1).threads == 1
    assert plan(threads=4).threads == 4


@pytest.mark.parametrize("settings", [{}, {"slots": 3}, {"context_tokens": 512}])
def test_every_slot_may_use_a_whole_context(settings: dict) -> None:
    """When llama.cpp's cache runs out, all requests under way fail; so it never does."""
    made = plan(**settings)
    assert made.cache_tokens >= made.context_tokens * made.slots
    assert made.slots >= 1


def test_little_memory_means_a_shorter_context() -> None:
    """The context is cut to what fits, in steps of 256 tokens."""
    big = replace(HEAD, context_tokens=1 << 20)
    made = plan(big, memory=GIB)
    assert 4096 <= made.context_tokens < 1 << 20
    assert made.context_tokens % 256 == 0


def test_a_small_model_has_a_small_cache() -> None:
    """llama.cpp fills its cache at the start, so by default it is bounded by the weights' size."""
    made = plan(context_tokens=4096)
    assert made.cache_tokens * HEAD.cache_elements_per_token * 2 <= 96 << 20
    assert plan(context_tokens=1024).slots == 4


def test_a_smaller_cache_type_holds_more() -> None:
    """Eight bits instead of sixteen nearly double the requests at once."""
    assert plan(context_tokens=8192, cache_type="q8_0").slots > plan(context_tokens=8192).slots


def test_vectors_need_the_whole_text_in_one_step() -> None:
    """Batch and context are one for models that pool."""
    bert = replace(HEAD, architecture="bert", context_tokens=512)
    made = plan(bert)
    assert made.embeddings
    assert (made.context_tokens, made.batch_tokens, made.micro_batch_tokens) == (512, 512, 512)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"thread": 2}, "no setting 'thread'"),
        ({"threads": 0}, "'threads'"),
        ({"cache_type": "q9"}, "'cache_type'"),
        ({"context_tokens": 20_000}, "was made for 16384"),
        ({"slots": 200}, "lower 'slots'"),
        ({"pooling": "mean"}, "needs 'embeddings'"),
        ({"lora": [{"path": "x", "scales": 1}]}, "lora"),
    ],
)
def test_a_bad_setting_is_named(settings: dict, words: str) -> None:
    """Unknown names and impossible values are told before anything starts."""
    with pytest.raises(SetupError, match=words):
        plan(**settings)


def test_an_adapter_is_no_model() -> None:
    """LoRA weights alone cannot answer."""
    with pytest.raises(SetupError, match="LoRA adapter"):
        plan(replace(HEAD, kind="adapter"))


def test_a_model_of_vectors_makes_no_tokens() -> None:
    """Weights decide what a model can do."""
    with pytest.raises(SetupError, match="makes vectors"):
        plan(replace(HEAD, architecture="bert"), embeddings=False)


def test_settings_of_the_command_line_are_text() -> None:
    """Numbers written as text are read as numbers."""
    assert convert_settings("llamacpp", {"threads": "3"}, LlamaSettings).threads == 3
