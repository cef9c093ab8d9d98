"""What goes to a collector, read by OpenTelemetry's own schema and held to its own names and units."""

import json
from base64 import b64encode
from enum import Enum

import pytest
from google.protobuf.json_format import Parse, ParseError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, service_attributes

from primeur.core.otlp import write_spans
from primeur.core.otlp_metrics import Tally
from primeur.core.usage import Usage, UsageEvent

STREAM = UsageEvent(
    "req_1", 1_700_000_000_000, "chat", "completed", 200, deployment="chat", revision_id="rev_1", provider="echo",
    usage=Usage(5, cached_tokens=2, output_tokens=7, reasoning_tokens=3), cost_nanos=9, currency="EUR",
    first_token_us=2000, duration_us=3000, streamed=True,
)  # fmt: skip
EVENTS = [
    STREAM,
    UsageEvent("req_2", 1_700_000_000_001, "completions", "failed", 502, deployment="chat", revision_id="rev_1",
               provider="echo", error_code="upstream_error", error_message="it broke"),
    UsageEvent("req_3", 1_700_000_000_002, "embeddings", "failed", 502, deployment="vec", revision_id="rev_2",
               provider="cloud", usage=Usage(9)),
]  # fmt: skip
OURS = "primeur."


class Meter:
    """Takes down what the conventions say of each instrument."""

    def __init__(self):
        self.units = {}

    def create_histogram(self, name, description, unit):
        assert description
        self.units[name] = unit


def constants(module):
    return {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


def words(kind: type[Enum]):
    return {one.value for one in kind}


def parse_spans(said):
    """Read as a collector does: strictly; in OTLP's JSON ids are hexadecimal, where protobuf's own has base64."""
    said = json.loads(json.dumps(said))
    for span in said["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name in ("traceId", "spanId"):
            span[name] = b64encode(bytes.fromhex(span[name])).decode()
    return Parse(json.dumps(said), ExportTraceServiceRequest())


def valued(attributes):
    keys = [one.key for one in attributes]
    assert len(keys) == len(set(keys))
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@pytest.fixture
def spans():
    (resource,) = parse_spans(write_spans(EVENTS, "primeur")).resource_spans
    assert valued(resource.resource.attributes) == {service_attributes.SERVICE_NAME: "primeur"}
    (scope,) = resource.scope_spans
    return list(scope.spans)


@pytest.fixture
def metrics():
    tally = Tally()
    tally.see(EVENTS)
    told = Parse(json.dumps(tally.write("primeur", 1_700_000_009_000)), ExportMetricsServiceRequest())
    (resource,) = told.resource_metrics
    (scope,) = resource.scope_metrics
    return {one.name: one for one in scope.metrics}


def test_the_reader_is_strict():
    """A field that the schema does not know fails, so that what passes below says something."""
    said = write_spans(EVENTS, "primeur")
    said["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["began"] = "1"
    with pytest.raises(ParseError, match="began"):
        parse_spans(said)


def test_spans_are_those_of_the_schema(spans):
    """Ids of their lengths, an end after the beginning, events in between, kind and status as the schema has them."""
    assert [(len(one.trace_id), len(one.span_id)) for one in spans] == [(16, 8)] * 3
    assert [one.end_time_unix_nano - one.start_time_unix_nano for one in spans] == [3_000_000, 0, 0]
    assert {one.kind for one in spans} == {Span.SPAN_KIND_CLIENT}
    assert [one.status.code for one in spans] == [Status.STATUS_CODE_UNSET] + [Status.STATUS_CODE_ERROR] * 2
    (first,) = spans[0].events
    assert spans[0].start_time_unix_nano < first.time_unix_nano < spans[0].end_time_unix_nano


def test_spans_speak_the_conventions(spans):
    """Every attribute has an official name or is ours; what must be there is; counts and seconds have their types."""
    known = constants(gen_ai_attributes) | constants(error_attributes)
    for span in spans:
        said = valued(span.attributes)
        assert {key for key in said if not key.startswith(OURS)} <= known
        assert said["gen_ai.operation.name"] in words(gen_ai_attributes.GenAiOperationNameValues)
        assert span.name == f"{said['gen_ai.operation.name']} {said['gen_ai.request.model']}"
        assert said["gen_ai.provider.name"]
        assert ("error.type" in said) == (span.status.code == Status.STATUS_CODE_ERROR)
    said = valued(spans[0].attributes)
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (5, 7)
    assert (said["gen_ai.usage.cache_read.input_tokens"], said["gen_ai.usage.reasoning.output_tokens"]) == (2, 3)
    assert (said["gen_ai.request.stream"], said["gen_ai.response.time_to_first_chunk"]) == (True, 0.002)
    assert valued(spans[1].attributes)["error.type"] == "upstream_error"
    assert valued(spans[2].attributes)["error.type"] == error_attributes.ErrorTypeValues.OTHER.value


def test_metrics_speak_the_conventions(metrics):
    """Names, units, attributes and the words in them are the official ones."""
    meter = Meter()
    for name, create in vars(gen_ai_metrics).items():
        if name.startswith("create_"):
            create(meter)
    known = constants(gen_ai_attributes) | constants(error_attributes)
    assert len(metrics) == 4
    for name, one in metrics.items():
        assert one.unit == meter.units[name]
        for point in one.histogram.data_points:
            said = valued(point.attributes)
            assert {key for key in said if not key.startswith(OURS)} <= known
            assert said["gen_ai.operation.name"] in words(gen_ai_attributes.GenAiOperationNameValues)
            assert ("gen_ai.token.type" in said) == (name == gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE)
            assert said.get("gen_ai.token.type", "input") in words(gen_ai_attributes.GenAiTokenTypeValues)


def test_histograms_are_those_of_the_schema(metrics):
    """Cumulative, one more count than bounds, which rise; counts come to the count."""
    for one in metrics.values():
        assert one.WhichOneof("data") == "histogram"
        assert one.histogram.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
        for point in one.histogram.data_points:
            assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
            assert list(point.explicit_bounds) == sorted(set(point.explicit_bounds))
            assert sum(point.bucket_counts) == point.count > 0
            assert 0 < point.start_time_unix_nano < point.time_unix_nano
