"""A chat's answer told as a response."""

import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from primeur.archive.asks import blank_response
from primeur.archive.replies import ResponseWriter, read_usage, write_event
from primeur.archive.response_wire import CreateResponse
from primeur.core.errors import TargetBusy, TargetFailed

STREAM_EVENT = TypeAdapter(ResponseStreamEvent)


def writer():
    count = itertools.count(1)
    request = CreateResponse(model="m", input="hi")
    return ResponseWriter(blank_response(request, "resp_1", 1000), lambda kind: f"{kind}_{next(count)}")


def chunk(finish=None, **delta):
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def run(*chunks):
    """Every event of a stream, and the writer that made them."""
    made = writer()
    events = [*made.begin(), *(event for one in chunks for event in made.take(one)), *made.finish(2000)]
    return [*events, made.last_event()], made


def kinds(events):
    return [event["type"].removeprefix("response.") for event in events]


def test_text_is_told_as_openai_tells_it():
    """Event by event, in order, numbered."""
    events, made = run(chunk(role="assistant", content=""), chunk(content="Hel"), chunk(content="lo"), chunk("stop"))
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert events[3]["part"]["text"] == ""
    assert events[6]["text"] == "Hello"
    assert made.response.status == "completed"
    assert made.response.completed_at == 2
    assert events[2]["item"] == {
        "id": "message_1",
        "type": "message",
        "role": "assistant",
        "status": "in_progress",
        "content": [],
    }


def test_calls_are_told_one_after_the_other():
    """Words before them are an item of their own."""
    first = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": '{"a"'}}
    rest = {"index": 0, "function": {"arguments": ":1}"}}
    second = {"index": 1, "id": "c2", "function": {"name": "g", "arguments": "{}"}}
    chunks = (chunk(content="wait"), chunk(tool_calls=[first]), chunk(tool_calls=[rest]), chunk(tool_calls=[second]))
    events, made = run(*chunks, chunk("tool_calls"))
    assert [(item["type"], item["status"]) for item in made.response.output] == [
        ("message", "completed"),
        ("function_call", "completed"),
        ("function_call", "completed"),
    ]
    assert [item.get("arguments") for item in made.response.output] == [None, '{"a":1}', "{}"]
    done = [event for event in events if event["type"] == "response.function_call_arguments.done"]
    assert [(event["name"], event["output_index"]) for event in done] == [("f", 1), ("g", 2)]


def test_a_refusal_is_a_part_of_its_own():
    """After words, in the same message."""
    events, made = run(chunk(content="Well"), chunk(refusal="no"), chunk("stop"))
    (message,) = made.response.output
    assert [part["type"] for part in message["content"]] == ["output_text", "refusal"]
    assert [event["content_index"] for event in events if event["type"].endswith(".delta")] == [0, 1]


def test_reasoning_is_an_item_before_the_answer():
    """Open engines tell it beside the content."""
    _, made = run(chunk(reasoning_content="hm"), chunk(content="42"), chunk("stop"))
    reasoning, message = made.response.output
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert message["content"][0]["text"] == "42"


@pytest.mark.parametrize(("reason", "told"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_an_answer_cut_short_is_incomplete(reason, told):
    """And says why."""
    events, made = run(chunk(content="Onc"), chunk(reason))
    assert events[-1]["type"] == "response.incomplete"
    assert made.response.incomplete_details == {"reason": told}
    assert made.response.output[0]["status"] == "incomplete"
    assert made.response.completed_at is None


def test_an_empty_answer_is_an_empty_message():
    """Clients look for one."""
    _, made = run(chunk("stop"))
    assert made.response.output[0]["content"][0]["text"] == ""


def test_usage_and_cost_are_told_in_the_words_of_a_response():
    """With the parts that callers budget by."""
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    _, made = run(
        chunk("stop", content="x"),
        {"choices": [], "usage": usage, "service_tier": "flex", "primeur": {"provider": "echo"}},
    )
    assert made.response.usage == read_usage(usage)
    assert made.response.usage["input_tokens_details"]["cached_tokens"] == 4
    assert made.response.usage["output_tokens_details"]["reasoning_tokens"] == 2
    assert made.response.service_tier == "flex"
    assert msgspec.to_builtins(made.response)["primeur"] == {"provider": "echo"}


def test_probabilities_go_with_their_words():
    """In the delta, and all of them at the end."""
    said = {"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "b", "logprob": -1.0}]}
    one = {"choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [said]}}]}
    events, made = run(one, one, chunk("stop"))
    delta = next(event for event in events if event["type"] == "response.output_text.delta")
    assert delta["logprobs"][0]["bytes"] == [97]
    assert len(made.response.output[0]["content"][0]["logprobs"]) == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"choices": [{"index": 1, "delta": {"content": "x"}}]},
        {"choices": [{"delta": {"content": ["x"]}}]},
        {"choices": [{"delta": {"tool_calls": [{"function": {"name": "f"}}]}}]},
        {"choices": [{"delta": 7}]},
        {"error": {"message": "out of memory"}},
        {"error": "out of memory"},
    ],
)
def test_what_is_no_chat_s_answer_is_the_target_s_fault(bad):
    """Never the caller's, never a crash."""
    with pytest.raises(TargetFailed):
        writer().take(bad)


def test_a_call_is_not_gone_back_to():
    """What was told as done stays done."""
    calls = [{"index": n, "id": f"c{n}", "function": {"name": "f"}} for n in (0, 1, 0)]
    with pytest.raises(TargetFailed, match="went back"):
        run(chunk(tool_calls=calls))


@pytest.mark.parametrize(
    ("error", "code"),
    [(TargetFailed("gone"), "server_error"), (TargetBusy("busy", retry_after_ms=1), "rate_limit_exceeded")],
)
def test_a_broken_answer_is_told_as_failed(error, code):
    """What came until then stays, as incomplete."""
    made = writer()
    made.begin()
    made.take(chunk(content="Onc"))
    made.fail(error)
    last = made.last_event()
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": code, "message": error.message}
    assert last["response"]["output"][0]["status"] == "incomplete"


def test_what_could_not_be_stored_is_told_as_an_error():
    """With the next number of the stream."""
    made = writer()
    made.begin()
    assert made.broken(TargetFailed("x"))["sequence_number"] == 2


pieces = st.lists(
    st.one_of(
        st.builds(lambda text: {"content": text}, st.text(max_size=4)),
        st.builds(lambda text: {"refusal": text}, st.text(max_size=4)),
        st.builds(lambda text: {"reasoning_content": text}, st.text(max_size=4)),
    ),
    max_size=8,
)
calls = st.lists(st.text(max_size=6), max_size=3)


@given(pieces, calls, st.sampled_from(["stop", "length", "tool_calls"]), st.integers(1, 3))
def test_every_stream_is_one_that_the_official_client_reads(said, arguments, reason, size):
    """Each event fits its type; what was told piece by piece is what the response holds in the end."""
    chunks = [chunk(**delta) for delta in said]
    for number, text in enumerate(arguments):
        cut = [text[start : start + size] for start in range(0, len(text), size)]
        chunks.append(chunk(tool_calls=[{"index": number, "id": f"c{number}", "function": {"name": "f"}}]))
        chunks += [chunk(tool_calls=[{"index": number, "function": {"arguments": piece}}]) for piece in cut]
    events, made = run(*chunks, chunk(reason))
    for event in events:
        data = write_event(event).partition(b"\ndata: ")[2]
        STREAM_EVENT.validate_json(data, strict=False)
    told = [event for event in events if event["type"].endswith(".delta")]
    deltas = "".join(event["delta"] for event in told if "function" not in event["type"])
    assert deltas == "".join(text for delta in said for text in delta.values())
    made_calls = [item for item in made.response.output if item["type"] == "function_call"]
    assert [item["arguments"] for item in made_calls] == arguments
    assert all(item["status"] != "in_progress" for item in made.response.output)


def test_a_whole_answer_reads_like_a_streamed_one():
    """One translation serves both."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "Hello", "refusal": None, "tool_calls": [call]}
    whole = writer()
    whole.take({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
    whole.finish(2000)
    _, streamed = run(chunk(content="Hel"), chunk(content="lo"), chunk("tool_calls", tool_calls=[{**call, "index": 0}]))
    assert whole.response.output == streamed.response.output
    Response.model_validate(json.loads(msgspec.json.encode(whole.response)))
