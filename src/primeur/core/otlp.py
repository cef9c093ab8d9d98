"""Usage events as OpenTelemetry spans, in OTLP's JSON.

Source: OpenTelemetry, "Semantic conventions for generative AI client spans" (attributes ``gen_ai.*``), and OTLP 1.x,
"JSON Protobuf Encoding" (identifiers in hexadecimal, 64-bit integers as text).
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from primeur.core.usage import UsageEvent

Json = dict[str, Any]

OPERATIONS = {"chat": "chat", "completions": "text_completion", "embeddings": "embeddings"}
_CLIENT, _ERROR = 3, 2


def write_spans(events: Iterable[UsageEvent], service: str) -> Json:
    """Write an export request with one span for each request that reached a target; prompts are never in it."""
    spans = [_span(event) for event in events if event.revision_id]
    scope = {"scope": {"name": "primeur"}, "spans": spans}
    return {
        "resourceSpans": [
            {"resource": {"attributes": [text_attribute("service.name", service)]}, "scopeSpans": [scope]}
        ]
    }


def _span(event: UsageEvent) -> Json:
    digest = sha256(event.id.encode()).hexdigest()
    operation = OPERATIONS.get(event.route, event.route)
    begin_ns = event.at_ms * 1_000_000
    span: Json = {
        "traceId": digest[:32],
        "spanId": digest[32:48],
        "name": f"{operation} {event.deployment}",
        "kind": _CLIENT,
        "startTimeUnixNano": str(begin_ns),
        "endTimeUnixNano": str(begin_ns + event.duration_us * 1000),
        "attributes": _attributes(event, operation),
        "status": {},
    }
    if event.first_token_us is not None:
        span["events"] = [{"name": "first_token", "timeUnixNano": str(begin_ns + event.first_token_us * 1000)}]
    if event.outcome == "failed":
        span["status"] = {"code": _ERROR, "message": event.error_message or ""}
    return span


def _attributes(event: UsageEvent, operation: str) -> list[Json]:
    found = [
        text_attribute("gen_ai.operation.name", operation),
        text_attribute("gen_ai.provider.name", event.provider),
        text_attribute("gen_ai.request.model", event.deployment),
        _number("gen_ai.usage.input_tokens", event.usage.input_tokens),
        _number("gen_ai.usage.output_tokens", event.usage.output_tokens),
        text_attribute("primeur.request_id", event.id),
        text_attribute("primeur.revision", event.revision_id),
        text_attribute("primeur.project", event.project_id),
        text_attribute("primeur.outcome", event.outcome),
    ]
    found += [text_attribute("error.type", fault)] if (fault := error_type(event)) else []
    if event.streamed:
        found.append({"key": "gen_ai.request.stream", "value": {"boolValue": True}})
        if event.first_token_us is not None:
            seconds = event.first_token_us / 1e6
            found.append({"key": "gen_ai.response.time_to_first_chunk", "value": {"doubleValue": seconds}})
    # They are parts of what is counted above, told where there are any.
    for key, count in (
        ("gen_ai.usage.cache_read.input_tokens", event.usage.cached_tokens),
        ("gen_ai.usage.reasoning.output_tokens", event.usage.reasoning_tokens),
    ):
        found += [_number(key, count)] if count else []
    if event.cost_nanos is not None:
        found += [
            _number("primeur.cost_nanos", event.cost_nanos),
            text_attribute("primeur.currency", event.currency or ""),
        ]
    return found


def error_type(event: UsageEvent) -> str | None:
    """Give the ``error.type`` of a request; None where it did not fail."""
    return event.error_code or ("_OTHER" if event.outcome == "failed" else None)


def text_attribute(key: str, value: str) -> Json:
    """Give an attribute whose value is a text."""
    return {"key": key, "value": {"stringValue": value}}


def _number(key: str, value: int) -> Json:
    return {"key": key, "value": {"intValue": str(value)}}
