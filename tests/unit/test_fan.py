"""One ask as several: bodies apart, answers together."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest, TargetFailed
from primeur.core.fan import StreamMerge, add_usage, answers_of, merge_answers, split_body
from primeur.core.wire import ChatRequest, CompletionRequest


def split(**fields: object) -> list[dict]:
    """The bodies a completion is sent as."""
    body = msgspec.json.encode({"model": "m", **fields})
    return [msgspec.json.decode(b) for b in split_body(body, msgspec.json.decode(body, type=CompletionRequest))]


def usage(prompt: int, answer: int) -> dict:
    """A usage block."""
    cached = {"cached_tokens": prompt // 2}
    return {"prompt_tokens": prompt, "completion_tokens": answer, "prompt_tokens_details": cached}


def test_each_prompt_and_answer_has_its_body() -> None:
    """Prompts keep their order; the answers to one prompt follow each other with seeds moved on."""
    bodies = split(prompt=["a", "b"], n=2, seed=5)
    assert [(b["prompt"], b["seed"], "n" in b) for b in bodies] == [
        ("a", 5, False),
        ("a", 6, False),
        ("b", 5, False),
        ("b", 6, False),
    ]


def test_a_prompt_of_tokens_is_one_prompt() -> None:
    """A flat list of numbers is not several prompts, a list of lists is."""
    assert [b["prompt"] for b in split(prompt=[1, 2, 3], n=2)] == [[1, 2, 3]] * 2
    assert [b["prompt"] for b in split(prompt=[[1, 2], [3]])] == [[1, 2], [3]]


def test_a_chat_has_one_prompt() -> None:
    """Its answers are counted by n."""
    chat = msgspec.convert({"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 3}, ChatRequest)
    assert answers_of(chat) == 3


def test_too_many_answers_are_refused() -> None:
    """There is an end to what one request may ask for."""
    with pytest.raises(BadRequest, match="200 answers"):
        split(prompt=["x"] * 100, n=2)


def test_answers_are_put_together() -> None:
    """Choices are numbered in order, usage is added up and each prompt counted once."""
    answers = [{"id": str(i), "choices": [{"index": 0, "text": str(i)}], "usage": usage(10, i)} for i in range(4)]
    whole = merge_answers(answers, per_prompt=2)
    assert [(c["index"], c["text"]) for c in whole["choices"]] == [(0, "0"), (1, "1"), (2, "2"), (3, "3")]
    assert whole["usage"]["prompt_tokens"] == 20
    assert whole["usage"]["completion_tokens"] == 6
    assert whole["usage"]["total_tokens"] == 26
    assert whole["usage"]["prompt_tokens_details"] == {"cached_tokens": 10}


def test_an_answer_without_a_choice_is_a_fault() -> None:
    """The target's promise of one answer is checked."""
    with pytest.raises(TargetFailed):
        merge_answers([{"choices": []}], per_prompt=1)


def test_a_missing_usage_is_not_guessed() -> None:
    """A sum of which a part is unknown is unknown."""
    assert add_usage([usage(1, 1), None], 1) is None


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["x", "y"])), max_size=20))
def test_streams_are_put_together_event_by_event(said: list[tuple[int, str]]) -> None:
    """Whatever the order, each text lands at its own index, and the end comes once."""
    merge = StreamMerge(2, per_prompt=2)
    passed = b""
    for place, text in said:
        chunk = {"id": f"c{place}", "choices": [{"index": 0, "text": text}]}
        passed += merge.take(place, b"data: " + msgspec.json.encode(chunk) + b"\n\n")
    for place in (0, 1):
        chunk = {"id": f"c{place}", "choices": [], "usage": usage(4, 1)}
        passed += merge.take(place, b"data: " + msgspec.json.encode(chunk) + b"\n\ndata: [DONE]\n\n")
    passed += merge.end()
    events = [event.removeprefix(b"data: ") for event in passed.split(b"\n\n") if event]
    assert events.pop() == b"[DONE]"
    chunks = [msgspec.json.decode(event) for event in events]
    assert [(c["choices"][0]["index"], c["choices"][0]["text"]) for c in chunks[:-1]] == said
    assert len({c["id"] for c in chunks}) == 1
    assert (chunks[-1]["usage"]["prompt_tokens"], chunks[-1]["usage"]["completion_tokens"]) == (4, 2)


def test_an_error_in_a_stream_goes_on() -> None:
    """What a target says went wrong is not swallowed."""
    assert b'"error"' in StreamMerge(2, 1).take(1, b'data: {"error":{"message":"x"}}\n\n')
    with pytest.raises(TargetFailed):
        StreamMerge(2, 1).take(0, b"data: {oops\n\n")
