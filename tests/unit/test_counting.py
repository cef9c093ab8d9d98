"""Usage read on the way, and counted where a target gives none."""

import pytest

from primeur.core.errors import TargetFailed
from primeur.core.usage import Usage
from primeur.metering.counting import StreamScanner, usage_of

DELTA = b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'
LAST = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = (
    b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,'
    b'"prompt_tokens_details":{"cached_tokens":2}}}\n\n'
)
DONE = b"data: [DONE]\n\n"


def test_a_stream_passes_untouched_until_its_end():
    """Content leaves at once; usage and ``[DONE]`` are kept back."""
    scanner = StreamScanner(wants_usage=True)
    assert scanner.take(DELTA + DELTA) == DELTA + DELTA
    assert scanner.take(LAST + USAGE + DONE) == LAST
    assert scanner.usage == Usage(5, 2, 7, 0)
    assert scanner.owed == USAGE + DONE
    assert scanner.done
    assert scanner.pieces == 2


def test_usage_that_was_not_asked_for_is_taken_out():
    """The caller gets what OpenAI would have sent."""
    scanner = StreamScanner(wants_usage=False)
    scanner.take(DELTA + LAST + USAGE + DONE)
    assert scanner.owed == DONE


@pytest.mark.parametrize("usage", [b"", b',"usage":null'])
def test_only_parts_of_the_answer_are_counted(usage):
    """Roles, verdicts, empty pieces and reasons to finish cost nobody a token; text, arguments and thoughts do."""
    deltas = [
        b'{"role":"assistant","content":""}',
        b'{"content":"a"}',
        b'{"content":"\\"content\\":\\"x\\""}',
        b'{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}',
        b'{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}',
        b'{"reasoning_content":"hm"}',
        b"{}",
    ]
    scanner = StreamScanner(wants_usage=False)
    scanner.take(b'data: {"choices":[],"prompt_filter_results":[{"content_filter_results":{}}]}\n\n')
    scanner.take(b"".join(b'data: {"choices":[{"delta":' + delta + b"}]" + usage + b"}\n\n" for delta in deltas))
    assert scanner.pieces == 4


def test_an_error_in_the_stream_is_a_fault():
    """The words of the target are kept, and so is what came before them in the same packet."""
    scanner = StreamScanner(wants_usage=False)
    assert scanner.take(DELTA + b'data: {"error":{"message":"out of memory"}}\n\n' + DELTA) == DELTA
    assert "out of memory" in scanner.fault.message


def test_an_event_that_was_cut_off_is_a_fault():
    """A caller is never handed half an object."""
    scanner = StreamScanner(wants_usage=False)
    assert scanner.take(DELTA + b'data: {"choices":[{"delta":{"con\n\n') == DELTA
    assert "cannot be read" in scanner.fault.message


def test_an_answer_of_broken_json_is_a_fault():
    """What cannot be read is not passed on."""
    with pytest.raises(TargetFailed, match="cannot be read"):
        usage_of(b'{"usage":')
