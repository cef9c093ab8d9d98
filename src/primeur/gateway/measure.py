"""Counters for Prometheus."""

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
    _REQUESTS.labels(route, str(status)).inc()
    _SECONDS.labels(route).observe(duration_us / 1e6)
