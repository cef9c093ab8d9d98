"""Counters for Prometheus: plain numbers while requests run, put into Prometheus' words when somebody looks."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.core import REGISTRY, CounterMetricFamily, HistogramMetricFamily, Metric

from primeur.gateway.doors import Door

_BOUNDS_S = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_BOUNDS_US = tuple(round(bound * 1e6) for bound in _BOUNDS_S)


@dataclass(slots=True)
class _Durations:
    """How long requests of one route took; one count for each bound, and one beyond them."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS_US) + 1))
    sum_us: int = 0


class _Tally:
    """A collector. Counted from the event loop alone, so nothing is locked; routes and statuses are few."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self.durations: dict[str, _Durations] = {}

    def count(self, route: str, status: int, duration_us: int) -> None:
        seen = (route, status)
        self.requests[seen] = self.requests.get(seen, 0) + 1
        durations = self.durations.get(route)
        if durations is None:
            durations = self.durations[route] = _Durations()
        durations.counts[bisect_left(_BOUNDS_US, duration_us)] += 1
        durations.sum_us += duration_us

    def collect(self) -> Iterable[Metric]:
        """Tell Prometheus."""
        requests = CounterMetricFamily("primeur_requests", "Requests answered", labels=["route", "status"])
        for (route, status), count in self.requests.items():
            requests.add_metric([route, str(status)], count)
        seconds = HistogramMetricFamily(
            "primeur_request_duration_seconds", "Time from arrival to the last byte", labels=["route"]
        )
        for route, durations in self.durations.items():
            total, buckets = 0, []
            for bound, count in zip((*map(str, map(float, _BOUNDS_S)), "+Inf"), durations.counts, strict=True):
                total += count
                buckets.append((bound, total))
            seconds.add_metric([route], buckets, durations.sum_us / 1e6)
        return requests, seconds


_tally = _Tally()
REGISTRY.register(_tally)


def measure(door: Door | None, status: int, duration_us: int) -> None:
    """Count one request."""
    _tally.count(door.path if door else "none", status, duration_us)
