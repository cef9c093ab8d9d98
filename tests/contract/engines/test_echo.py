"""The echo engine does what a prompt wishes."""

import asyncio

import pytest
from speaking import Speaker, joined

from primeur.core.errors import BadRequest, TargetBusy, TargetFailed

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("one", "two")
]


async def test_it_says_what_was_said(echo: Speaker) -> None:
    """The last message of the user comes back, wishes taken out."""
    messages = [{"role": "user", "content": "first"}, {"role": "user", "content": "second [[repeat=2]]"}]
    assert (await echo.chat(messages=messages))["choices"][0]["message"]["content"] == "second second"


async def test_a_status_can_be_wished_for(echo: Speaker) -> None:
    """Errors come with their status and header."""
    with pytest.raises(TargetBusy) as caught:
        await echo.chat("hi [[status=429]] [[retry_after_ms=77]]")
    assert caught.value.retry_after_ms == 77
    with pytest.raises(TargetFailed):
        await echo.chat("hi [[status=500]]")


@pytest.mark.parametrize("wish", ["cut_after=2", "malformed_after=2", "error_after=2"])
async def test_a_stream_can_be_broken(echo: Speaker, wish: str) -> None:
    """What came before the break arrives; the fault is told in the stream."""
    # What is not JSON goes on to the caller as it came: the gateway reads no event that it need not read.
    chunks = await echo.chat(f"one two three four [[token_ms=30]] [[{wish}]]", stream=True)
    assert any("error" in chunk for chunk in chunks)
    assert joined([chunk for chunk in chunks if "choices" in chunk]).startswith("one two")


async def test_a_body_can_be_cut(echo: Speaker) -> None:
    """Half an answer is no answer."""
    with pytest.raises(TargetFailed):
        await echo.chat("one two three [[cut_after=1]]")


async def test_a_stream_can_fall_silent(echo: Speaker) -> None:
    """After the stall nothing comes any more."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await echo.chat("one two three [[stall_after=1]]", stream=True)


async def test_tools_can_be_called_by_wish(echo: Speaker) -> None:
    """By name, several at once, and one at a time where that is asked for."""
    wish = "go [[call=two]] [[calls=2]]"
    calls = (await echo.chat(wish, tools=TOOLS))["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["two", "two"]
    single = await echo.chat(wish, tools=TOOLS, parallel_tool_calls=False)
    assert len(single["choices"][0]["message"]["tool_calls"]) == 1


async def test_usage_can_be_dressed(echo: Speaker) -> None:
    """Cached and reasoning tokens as wished; or no usage at all."""
    usage = (await echo.chat("one two three four [[cached=2]] [[reasoning=5]]"))["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 2
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 5
    assert "usage" not in await echo.chat("hi [[no_usage]]")


async def test_an_unknown_wish_is_refused(echo: Speaker) -> None:
    """A misspelt wish would make a test pass for nothing."""
    with pytest.raises(BadRequest, match="wish"):
        await echo.chat("hi [[fly]]")


async def test_a_suffix_is_seen(echo: Speaker) -> None:
    """The answer shows that prompt and suffix were both read."""
    assert (await echo.text("a", suffix="b"))["choices"][0]["text"] == "between a and b"


async def test_the_answer_ends_at_the_context(echo: Speaker) -> None:
    """Prompt and answer share 512 tokens here."""
    answer = await echo.chat("word [[repeat=2000]]")
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["total_tokens"] == 512
