"""Usage events as spans."""

from primeur.core.otlp import write_spans
from primeur.core.usage import Usage, UsageEvent

EVENT = UsageEvent(
    "req_1", 1000, "chat", "completed", 200, deployment="chat", revision_id="rev_1", provider="echo",
    usage=Usage(5, output_tokens=7), cost_nanos=9, currency="EUR", first_token_us=2000, duration_us=3000,
    prompt="secret", answer="secret",
)  # fmt: skip


def spans(*events):
    (resource,) = write_spans(events, "primeur")["resourceSpans"]
    return resource["scopeSpans"][0]["spans"]


def test_a_request_is_a_span():
    """With the names of the GenAI conventions, its first token as an event, and no prompt."""
    (span,) = spans(EVENT)
    said = {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
    assert (span["name"], span["startTimeUnixNano"]) == ("chat chat", "1000000000")
    assert span["endTimeUnixNano"] == "1003000000"
    assert (len(span["traceId"]), len(span["spanId"])) == (32, 16)
    assert said["gen_ai.operation.name"] == "chat"
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == ("5", "7")
    assert span["events"][0]["timeUnixNano"] == "1002000000"
    assert "secret" not in str(span)


def test_a_failure_is_told_as_one():
    """And a request that reached no target is no span."""
    failed = UsageEvent("req_2", 1, "chat", "failed", 200, revision_id="rev_1", error_code="upstream_error",
                        error_message="it broke")  # fmt: skip
    (span,) = spans(failed, UsageEvent("req_3", 1, "chat", "refused", 429))
    assert span["status"] == {"code": 2, "message": "it broke"}
    assert {"key": "error.type", "value": {"stringValue": "upstream_error"}} in span["attributes"]
