"""What a running service sends to a collector: a real receiver reads it strictly by OpenTelemetry's own schema."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from tests.unit.test_otlp_schema import parse_spans, valued

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("workers")]


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP in JSON; says 400 to what the schema does not know."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiver)
        self.spans, self.metrics, self.refused = [], {}, []

    def take(self, path, body):
        if path == "/v1/traces":
            (resource,) = parse_spans(json.loads(body)).resource_spans
            self.spans += resource.scope_spans[0].spans
        else:
            (resource,) = Parse(body, ExportMetricsServiceRequest()).resource_metrics
            self.metrics = {one.name: one for one in resource.scope_metrics[0].metrics}


class Receiver(BaseHTTPRequestHandler):
    """One connection."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 200
        try:
            assert self.headers["content-type"] == "application/json"
            self.server.take(self.path, body)
        except Exception as error:  # noqa: BLE001 (whatever it was is shown by the test)
            self.server.refused.append(f"{self.path}: {error!r}")
            status = 400
        self.send_response(status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def collector():
    made = Collector()
    serving = Thread(target=made.serve_forever)
    serving.start()
    try:
        yield made
    finally:
        made.shutdown()
        serving.join()
        made.server_close()


def test_a_collector_gets_each_request_once_and_sums_of_all(make_service, collector):
    """Of two gateway processes; at the end of the service everything has been told."""
    house = make_service("--workers", "2", "--egress", f"127.0.0.1:{collector.server_port}")
    house.environment = {"PRIMEUR_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}
    house.start()
    house.deploy("told", engine="echo")
    ids = []
    for number in range(12):
        body = {"model": "told", "stream": number % 2 == 1, "messages": [{"role": "user", "content": "one two three"}]}
        headers = {"authorization": f"Bearer {house.key}"}
        answer = httpx2.post(f"{house.url}/v1/chat/completions", json=body, headers=headers, timeout=30)
        # What one process says is so in the others in less than a second.
        if answer.status_code == 200:
            ids.append(answer.headers["x-request-id"])
    assert len(ids) > 6
    for each in ids:
        house.logged(each)
    assert house.stop() == 0
    assert collector.refused == [], house.words
    told = [valued(span.attributes)["primeur.request_id"] for span in collector.spans]
    assert sorted(told) == sorted(ids)
    points = collector.metrics["gen_ai.server.request.duration"].histogram.data_points
    assert sum(point.count for point in points) == len(ids)
    assert "gen_ai.server.time_per_output_token" in collector.metrics
