"""Counters for Prometheus by deployment and revision, fed off the request path from events as they become rows."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.core import REGISTRY, CounterMetricFamily, HistogramMetricFamily, Metric

from primeur.core.usage import UsageEvent

SERIES_MOST = 2000
"""Pairs of deployment and revision; what comes beyond them is counted for the revision ``other``."""
_FIRST_TOKEN_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TOKEN_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
_LABELS = ["deployment", "revision"]

Pair = tuple[str, str]


@dataclass(slots=True)
class _Histogram:
    """Seconds by bound; one count beyond the last."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        running, found = 0, []
        for bound, count in zip((*map(str, map(float, self.bounds)), "+Inf"), self.counts, strict=True):
            running += count
            found.append((bound, float(running)))
        return found


class Watch:
    """What deployments did, as Prometheus asks for it."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._tokens: Counter[tuple[str, str, str]] = Counter()
        self._cost: Counter[tuple[str, str]] = Counter()
        self._unpriced: Counter[str] = Counter()
        self._first: dict[Pair, _Histogram] = {}
        self._between: dict[Pair, _Histogram] = {}
        self._pairs: set[Pair] = set()

    def see(self, events: Iterable[UsageEvent]) -> None:
        """Count requests that reached a deployment."""
        for event in events:
            if event.revision_id:
                self._see(event, self._pair(event))

    def collect(self) -> Iterable[Metric]:
        """Tell Prometheus."""
        requests = CounterMetricFamily("primeur_deployment_requests", "Requests", labels=[*_LABELS, "outcome"])
        tokens = CounterMetricFamily("primeur_deployment_tokens", "Tokens", labels=[*_LABELS, "kind"])
        cost = CounterMetricFamily(
            "primeur_deployment_cost_nanos", "1e-9 of the currency", labels=["deployment", "currency"]
        )
        unpriced = CounterMetricFamily(
            "primeur_deployment_unpriced", "Requests whose cost is unknown", labels=["deployment"]
        )
        for family, counts in ((requests, self._requests), (tokens, self._tokens), (cost, self._cost)):
            for labels, count in counts.items():
                family.add_metric(list(labels), count)
        for deployment, count in self._unpriced.items():
            unpriced.add_metric([deployment], count)
        first = HistogramMetricFamily("primeur_deployment_first_token_seconds", "Time to first token", labels=_LABELS)
        between = HistogramMetricFamily(
            "primeur_deployment_inter_token_seconds", "Time from token to token of streams", labels=_LABELS
        )
        for histogram, found in ((first, self._first), (between, self._between)):
            for pair, seconds in found.items():
                histogram.add_metric(list(pair), seconds.buckets(), seconds.total)
        return requests, tokens, cost, unpriced, first, between

    def _pair(self, event: UsageEvent) -> Pair:
        pair = (event.deployment, event.revision_id)
        if pair not in self._pairs and len(self._pairs) >= SERIES_MOST:
            return (event.deployment, "other")
        self._pairs.add(pair)
        return pair

    def _see(self, event: UsageEvent, pair: Pair) -> None:
        self._requests[*pair, event.outcome] += 1
        usage = event.usage
        counts = {"input": usage.input_tokens, "cached": usage.cached_tokens, "output": usage.output_tokens}
        for kind, count in counts.items():
            self._tokens[*pair, kind] += count
        if event.cost_nanos is None:
            self._unpriced[event.deployment] += 1
        else:
            self._cost[event.deployment, event.currency or ""] += event.cost_nanos
        if event.first_token_us is None or event.outcome != "completed":
            return
        self._first.setdefault(pair, _Histogram(_FIRST_TOKEN_S)).add(event.first_token_us / 1e6)
        if event.streamed and usage.output_tokens > 1:
            seconds = (event.duration_us - event.first_token_us) / 1e6 / (usage.output_tokens - 1)
            self._between.setdefault(pair, _Histogram(_TOKEN_S)).add(seconds)


_watch = Watch()
REGISTRY.register(_watch)


def watch(events: Iterable[UsageEvent]) -> None:
    """Count events that have become rows."""
    _watch.see(events)
