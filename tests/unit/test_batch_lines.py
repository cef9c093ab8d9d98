"""Lines of batches, read and written."""

import msgspec
import pytest

from primeur.archive.batch_lines import (
    ENDPOINTS,
    add_usage,
    fault_of,
    problem_of,
    read_line,
    show_usage,
    write_line,
)
from primeur.core.errors import BadRequest, UnknownModel
from primeur.gateway.problems import problem

CHAT = ENDPOINTS[0]
GOOD = {"custom_id": "a", "method": "POST", "url": CHAT, "body": {"model": "m", "messages": []}}


def read(**changes):
    return read_line(3, msgspec.json.encode({**GOOD, **changes}), CHAT)


def test_a_line_is_read_with_its_body_as_it_came():
    """The body goes on as the caller wrote it."""
    line = read()
    assert (line.number, line.custom_id, line.model) == (3, "a", "m")
    assert msgspec.json.decode(line.body) == GOOD["body"]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"custom_id": ""}, "invalid_type", "custom_id"),
        ({"custom_id": "a\x00"}, "invalid_custom_id", "custom_id"),
        ({"method": "GET"}, "invalid_type", "method"),
        ({"url": "/v1/embeddings"}, "invalid_url", "url"),
        ({"body": {}}, "invalid_type", "body"),
        ({"body": "x"}, "invalid_type", "body"),
        ({"body": {"model": "m", "stream": True}}, "invalid_stream", "body.stream"),
        ({"more": 1}, "unknown_parameter", "more"),
    ],
)
def test_a_faulty_line_says_what_is_wrong(changes, code, param):
    """Before any line is run."""
    with pytest.raises(BadRequest) as caught:
        read(**changes)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_a_line_that_is_no_json_is_told_with_its_number():
    """Counted from one, as editors count."""
    with pytest.raises(BadRequest) as caught:
        read_line(7, b"{nope", CHAT)
    assert fault_of(7, caught.value).line == 7
    assert fault_of(7, caught.value).code == "invalid_json"


def test_an_answer_is_written_as_openai_writes_it():
    """The body is not touched."""
    line = msgspec.json.decode(write_line("a", "req_1", 200, '{"id":"x"}', "completed"))
    assert line == {
        "id": "batch_req_1",
        "custom_id": "a",
        "response": {"status_code": 200, "request_id": "req_1", "body": {"id": "x"}},
        "error": None,
    }


@pytest.mark.parametrize(("end", "code"), [("expired", "batch_expired"), ("cancelled", "batch_cancelled")])
def test_a_line_that_was_not_run_says_why(end, code):
    """It has no response."""
    line = msgspec.json.decode(write_line("a", "req_1", 0, "", end))
    assert line["response"] is None
    assert line["error"]["code"] == code


def test_a_line_gets_what_its_endpoint_would_have_said():
    """Status and body."""
    error = UnknownModel("there is no model x", param="model")
    status, body = problem_of(error)
    answer = problem(error, "openai")
    assert (status, msgspec.json.decode(body)) == (answer.status, msgspec.json.decode(answer.body))


def test_usage_is_added_up_over_both_dialects():
    """Chats say prompt and completion, responses input and output; an answer without usage adds nothing."""
    total: dict[str, int] = {}
    add_usage(total, '{"usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}}')
    add_usage(total, '{"usage":{"input_tokens":4,"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2}}}')
    add_usage(total, "{}")
    add_usage(total, "no json")
    assert show_usage(total) == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 1},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 14,
    }
