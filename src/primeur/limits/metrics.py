"""Whether shared limits are lost, for Prometheus."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from primeur.limits.shared import SharedLimiter


class SharedLimitsCollector:
    """A collector over one process's limiter."""

    def __init__(self, limiter: SharedLimiter) -> None:
        """*limiter*: whose."""
        self._limiter = limiter

    def collect(self) -> Iterable[Metric]:
        """Tell Prometheus."""
        lost = GaugeMetricFamily(
            "primeur_shared_limits_lost", "Processes that cannot reach the keeper of shared limits"
        )
        lost.add_metric([], float(bool(self._limiter.lost)))
        losses = CounterMetricFamily("primeur_shared_limits_losses", "How often the keeper of shared limits was lost")
        losses.add_metric([], self._limiter.lost_count)
        return lost, losses
