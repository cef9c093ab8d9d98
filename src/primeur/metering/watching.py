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


@dataclass(slots=True)
class _Series:
    """What one revision of a deployment did; money by its currency."""

    requests: Counter[str] = field(default_factory=Counter)
    input: int = 0
    cached: int = 0
    output: int = 0
    cost: Counter[str] = field(default_factory=Counter)
    unpriced: int = 0
    first: _Histogram = field(default_factory=lambda: _Histogram(_FIRST_TOKEN_S))
    between: _Histogram = field(default_factory=lambda: _Histogram(_TOKEN_S))

    def add(self, event: UsageEvent) -> None:
        usage = event.usage
        self.requests[event.outcome] += 1
        self.input += usage.input_tokens
        self.cached += usage.cached_tokens
        self.output += usage.output_tokens
        if event.cost_nanos is None:
            self.unpriced += 1
        else:
            self.cost[event.currency or ""] += event.cost_nanos
        if event.first_token_us is None or event.outcome != "completed":
            return
        self.first.add(event.first_token_us / 1e6)
        if event.streamed and usage.output_tokens > 1:
            self.between.add((event.duration_us - event.first_token_us) / 1e6 / (usage.output_tokens - 1))


class Watch:
    """What deployments did, as Prometheus asks for it."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._series: dict[Pair, _Series] = {}

    def see(self, events: Iterable[UsageEvent]) -> None:
        """Count requests that reached a deployment."""
        for event in events:
            if event.revision_id:
                series = self._series.get((event.deployment, event.revision_id))
                (series or self._begin(event)).add(event)

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
        first = HistogramMetricFamily("primeur_deployment_first_token_seconds", "Time to first token", labels=_LABELS)
        between = HistogramMetricFamily(
            "primeur_deployment_inter_token_seconds", "Time from token to token of streams", labels=_LABELS
        )
        money: Counter[tuple[str, str]] = Counter()
        unknown: Counter[str] = Counter()
        for pair, series in self._series.items():
            for outcome, count in series.requests.items():
                requests.add_metric([*pair, outcome], count)
            for kind, count in (("input", series.input), ("cached", series.cached), ("output", series.output)):
                tokens.add_metric([*pair, kind], count)
            for family, histogram in ((first, series.first), (between, series.between)):
                if histogram.counts:
                    family.add_metric(list(pair), histogram.buckets(), histogram.total)
            money.update({(pair[0], currency): nanos for currency, nanos in series.cost.items()})
            unknown[pair[0]] += series.unpriced
        for labels, nanos in money.items():
            cost.add_metric(list(labels), nanos)
        for deployment, count in (+unknown).items():
            unpriced.add_metric([deployment], count)
        return requests, tokens, cost, unpriced, first, between

    def _begin(self, event: UsageEvent) -> _Series:
        """Give a new pair its series; too many share one."""
        revision = event.revision_id if len(self._series) < SERIES_MOST else "other"
        return self._series.setdefault((event.deployment, revision), _Series())


_watch = Watch()
REGISTRY.register(_watch)


def watch(events: Iterable[UsageEvent]) -> None:
    """Count events that have become rows."""
    _watch.see(events)
