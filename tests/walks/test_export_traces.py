"""Spans on their way to a collector."""

import dataclasses
import json

import pytest

from primeur.core.errors import TargetFailed
from primeur.core.ports import Fetched
from primeur.core.usage import UsageEvent
from primeur.walks.export_traces import send_metrics, send_spans, trace


class Collector:
    """Takes spans, or does not."""

    def __init__(self) -> None:
        self.taken: list[dict] = []
        self.answers: list[int | Exception] = []
        self.asked: list[str] = []

    async def run(self, method, url, body=b"", headers=(), **_):
        assert (method, headers) == ("POST", [(b"content-type", b"application/json")])
        assert url.startswith("http://127.0.0.1:4318/v1/")
        self.asked.append(url.rpartition("/")[2])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if answer == 200:
            self.taken.append(json.loads(body))
        return Fetched(answer, {}, b"")


@pytest.fixture
def traced(house):
    place = dataclasses.replace(house.place, traces_to="http://127.0.0.1:4318/")
    return dataclasses.replace(house, place=place, errands=Collector())


def event(number):
    return UsageEvent(f"req_{number}", 1, "chat", "completed", 200, revision_id="rev_1")


async def test_what_is_not_taken_waits_in_its_order(traced):
    """A refusal and a silence are tried again."""
    trace(traced, [event(number) for number in range(250)])
    traced.errands.answers = [503, TargetFailed("no answer"), 200, 200]
    assert [await send_spans(traced, traced.board.traced) for _ in range(4)] == [False, False, True, True]
    spans = [span for one in traced.errands.taken for span in one["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    assert len(spans) == len({span["spanId"] for span in spans}) == 250
    assert not traced.board.traced


def test_only_so_many_wait(traced):
    """The oldest are lost first."""
    trace(traced, [event(number) for number in range(10_003)])
    assert (len(traced.board.traced), traced.board.traced[0].id) == (10_000, "req_3")


def test_without_a_collector_nothing_is_kept(house):
    """The default."""
    trace(house, [event(1)])
    assert not house.board.traced
    assert house.board.measured.began_ms is None


async def test_metrics_say_everything_again(traced):
    """What was not taken is in the next ones; before the first request nothing is sent."""
    assert await send_metrics(traced)
    trace(traced, [event(1)])
    traced.errands.answers = [503, 200]
    assert not await send_metrics(traced)
    trace(traced, [event(2)])
    assert await send_metrics(traced)
    assert traced.errands.asked == ["metrics", "metrics"]
    (metric,) = traced.errands.taken[0]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    assert metric["histogram"]["dataPoints"][0]["count"] == "2"
