"""The short way's header lines say what the long way's pairs say."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import REGISTRY

from primeur.core.chat import OPENAI_PATHS, Dialect, Endpoint, Route, Served, Target
from primeur.core.ports import Standing
from primeur.gateway.lines import serving_lines
from primeur.gateway.measure import measure
from primeur.gateway.openai import serving_headers

TARGET = Target(
    "rev_1", "rack", Endpoint("http", "x", 80), Dialect("plain", OPENAI_PATHS), "m", frozenset({Route.CHAT})
)


@pytest.mark.parametrize(
    "standing",
    [
        Standing(),
        Standing(requests_limit=60, requests_left=0, requests_reset_ms=59_001),
        Standing(60, 12, 1, 1_000_000, 999_999, 1_500),
    ],
)
def test_both_ways_say_the_same(standing):
    """With and without limits."""
    served = Served("chat", TARGET)
    pairs = serving_headers(served, 41, standing)
    assert serving_lines(served, 41, standing) == b"".join(b"%b: %b\r\n" % pair for pair in pairs)


def test_requests_are_counted_in_prometheus_words():
    """A counter for each route and status; a histogram whose buckets add up."""
    measure(None, 418, 7_000)
    measure(None, 418, 400_000_000)
    told = generate_latest(REGISTRY).decode()
    assert 'primeur_requests_total{route="none",status="418"} 2.0' in told
    bucket = 'primeur_request_duration_seconds_bucket{le="%s",route="none"} %s'
    assert bucket % ("0.005", "0.0") in told
    assert bucket % ("0.02", "1.0") in told
    assert bucket % ("+Inf", "2.0") in told
    assert 'primeur_request_duration_seconds_sum{route="none"} 400.007' in told
