"""What is llama.cpp's own: fill-in-the-middle, roles, adapters, and a context that really holds."""

from pathlib import Path

import pytest
from speaking import Speaker
from tiny_weights import write_llama

import primeur.weights
from primeur.core.errors import ContextTooLong, SetupError, TargetFailed, UnsupportedParameter
from primeur.core.ports import EngineOrder
from primeur.engines.llamacpp import ENGINE


def order(weights: Path | None, folder: Path, **settings: object) -> EngineOrder:
    """What a revision would ask."""
    return EngineOrder("rev", "m", weights, settings, 2, 1 << 30, folder / "log")


async def test_a_suffix_reaches_the_model(llama: Speaker) -> None:
    """The prompt grows by the suffix and the three tokens around."""
    alone = await llama.text("ab", max_tokens=1)
    filled = await llama.text("ab", suffix="cd", max_tokens=1)
    assert filled["usage"]["prompt_tokens"] == alone["usage"]["prompt_tokens"] + 2 + 3


async def test_a_suffix_without_tokens_for_it_is_refused(starter: Speaker) -> None:
    """A model without fill-in-the-middle tokens cannot honour it."""
    with pytest.raises(UnsupportedParameter, match="suffix"):
        await starter.text("ab", suffix="cd")


async def test_the_last_word_of_the_assistant_is_history(llama: Speaker) -> None:
    """The answer does not begin with what was said before, as it does not with OpenAI."""
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "history"}]
    answer = await llama.chat(messages=messages, max_tokens=2)
    assert not answer["choices"][0]["message"]["content"].startswith("history")


async def test_samplers_beyond_openai_have_their_effect(llama: Speaker) -> None:
    """A grammar leaves one answer; a bias forces a token."""
    assert (await llama.chat(grammar='root ::= "yes"'))["choices"][0]["message"]["content"] == "yes"
    forced = await llama.chat(logit_bias={"65": 100}, max_tokens=3, temperature=0)
    assert len(set(forced["choices"][0]["message"]["content"])) == 1


async def test_a_list_with_one_long_text_is_the_callers_fault(llama: Speaker) -> None:
    """One of several prompts that does not fit is told as such."""
    with pytest.raises(ContextTooLong):
        await llama.text(["x", "word " * 2000, "y"], max_tokens=1)


@pytest.mark.parametrize("bad", ["missing", "foreign", "cut short"])
def test_unusable_weights_are_one_clear_line(tmp_path: Path, bad: str) -> None:
    """Nothing is started for a file that cannot be served."""
    path = tmp_path / "m.gguf"
    if bad == "foreign":
        path.write_bytes(b"PK\x03\x04 not weights")
    if bad == "cut short":
        data = write_llama(path).read_bytes()
        path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SetupError, match=r"m\.gguf"):
        ENGINE.plan(order(path, tmp_path))


def test_no_weights_are_named(tmp_path: Path) -> None:
    """The engine cannot do without."""
    with pytest.raises(SetupError, match="needs weights"):
        ENGINE.plan(order(None, tmp_path))


def test_an_adapter_must_be_one(tmp_path: Path) -> None:
    """A model is no LoRA adapter."""
    path = write_llama(tmp_path / "m.gguf")
    with pytest.raises(SetupError, match="not a LoRA adapter"):
        ENGINE.plan(order(path, tmp_path, lora=[{"path": str(path)}]))


def test_the_starter_has_the_context_it_promises(tmp_path: Path) -> None:
    """Front ends with long prompts work on the first minute."""
    weights = Path(primeur.weights.__file__).parent / "starter.gguf"
    assert (ENGINE.plan(order(weights, tmp_path)).context_tokens or 0) >= 16_384


async def test_a_form_is_never_replaced_by_free_text(echo: Speaker) -> None:
    """The echo engine can be told to break its promise; that is why engines are checked where they may."""
    form = {"type": "json_object"}
    answer = await echo.chat("hello [[free_text]]", response_format=form)
    assert answer["choices"][0]["message"]["content"] == "hello"
    with pytest.raises(TargetFailed):
        await echo.chat("hello [[garbage]]")
