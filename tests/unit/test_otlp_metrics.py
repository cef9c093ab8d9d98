"""Usage events as metrics."""

from hypothesis import given
from hypothesis import strategies as st

from primeur.core.otlp_metrics import SERIES_MOST, Tally
from primeur.core.usage import Usage, UsageEvent


def event(number=1, **fields):
    told = {"deployment": "chat", "revision_id": "rev_1", "provider": "echo"} | fields
    return UsageEvent(f"req_{number}", 1000, "chat", told.pop("outcome", "completed"), 200, **told)


def metrics(tally):
    (resource,) = tally.write("primeur", 9000)["resourceMetrics"]
    return {one["name"]: one for one in resource["scopeMetrics"][0]["metrics"]}


def test_a_stream_is_in_every_histogram():
    """Tokens by type, seconds in all, to the first token and from token to token."""
    tally = Tally()
    usage = Usage(5, output_tokens=5)
    tally.see([event(usage=usage, first_token_us=200_000, duration_us=1_000_000, streamed=True)])
    found = metrics(tally)
    sums = {
        name: [point["sum"] for point in one["histogram"]["dataPoints"]] for name, one in found.items()
    }  # fmt: skip
    assert sums == {
        "gen_ai.client.token.usage": [5, 5],
        "gen_ai.server.request.duration": [1.0],
        "gen_ai.server.time_to_first_token": [0.2],
        "gen_ai.server.time_per_output_token": [0.2],
    }
    (point,) = found["gen_ai.server.time_to_first_token"]["histogram"]["dataPoints"]
    assert point["bucketCounts"][point["explicitBounds"].index(0.25)] == "1"
    assert (point["startTimeUnixNano"], point["timeUnixNano"]) == ("1000000000", "9000000000")
    assert {"key": "gen_ai.request.model", "value": {"stringValue": "chat"}} in point["attributes"]
    assert {one["unit"] for one in found.values()} == {"s", "{token}"}


def test_a_failure_counts_its_time_alone_and_a_refusal_nothing():
    """It is named by ``error.type``."""
    tally = Tally()
    tally.see([UsageEvent("req_1", 1, "chat", "refused", 429)])
    assert (tally.began_ms, metrics(tally)) == (None, {})
    tally.see([event(outcome="failed", error_code="upstream_error", duration_us=5, first_token_us=1)])
    (only,) = metrics(tally).values()
    (point,) = only["histogram"]["dataPoints"]
    assert {"key": "error.type", "value": {"stringValue": "upstream_error"}} in point["attributes"]


def test_there_are_only_so_many_series():
    """What begins later is counted for the revision ``other``."""
    tally = Tally()
    tally.see(event(number, revision_id=f"rev_{number}") for number in range(SERIES_MOST + 50))
    (duration,) = metrics(tally).values()
    points = duration["histogram"]["dataPoints"]
    assert len(points) == SERIES_MOST + 1
    assert points[-1]["count"] == "50"


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**6)), max_size=30), st.integers(0, 30))
def test_every_request_is_counted_once_whatever_its_batch(seen, cut):
    """Counts and sums of any split are those of the whole, and each lies in one bucket."""
    events = [event(n, duration_us=us, usage=Usage(tokens)) for n, (us, tokens) in enumerate(seen)]
    whole, parts = Tally(), Tally()
    whole.see(events)
    parts.see(events[:cut])
    parts.see(events[cut:])
    assert metrics(whole) == metrics(parts)
    for one in metrics(whole).values():
        for point in one["histogram"]["dataPoints"]:
            assert sum(map(int, point["bucketCounts"])) == int(point["count"])
            assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
    counted = metrics(whole).get("gen_ai.server.request.duration")
    assert (int(counted["histogram"]["dataPoints"][0]["count"]) if counted else 0) == len(events)
