"""Counters for Prometheus."""

from functools import lru_cache

from prometheus_client import Counter, Histogram

from primeur.gateway.doors import Door

_REQUESTS = Counter("primeur_requests_total", "Requests answered", ["route", "status"])
_SECONDS = Histogram(
    "primeur_request_duration_seconds",
    "Time from arrival to the last byte",
    ["route"],
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)


def measure(door: Door | None, status: int, duration_us: int) -> None:
    """Count one request."""
    route = door.path if door else "none"
    requests, seconds = _children(route, status)
    requests.inc()
    seconds.observe(duration_us / 1e6)


@lru_cache(maxsize=2048)
def _children(route: str, status: int) -> tuple[Counter, Histogram]:
    # Finding the labelled counter costs more than counting.
    return _REQUESTS.labels(route, str(status)), _SECONDS.labels(route)
