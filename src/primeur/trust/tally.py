"""How often guards found something, for Prometheus."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import REGISTRY, CounterMetricFamily, Metric

from primeur.core.guards import Verdict

SERIES_MOST = 2000
"""Deployments, stages, rules and actions together; what comes beyond them is counted for the rule ``other``."""
_LABELS = ["deployment", "stage", "rule", "action"]


class Tally:
    """A collector. Counted from the event loop alone, so nothing is locked."""

    def __init__(self) -> None:
        """Nothing was found yet."""
        self._counts: Counter[tuple[str, str, str, str]] = Counter()

    def count(self, deployment: str, verdicts: Iterable[Verdict]) -> None:
        """Count what was found at a deployment."""
        for one in verdicts:
            labels = (deployment, one.stage, one.rule, one.action)
            if labels not in self._counts and len(self._counts) >= SERIES_MOST:
                labels = ("other", one.stage, "other", one.action)
            self._counts[labels] += one.count

    def collect(self) -> Iterable[Metric]:
        """Tell Prometheus."""
        found = CounterMetricFamily("primeur_guard_findings", "What guards found", labels=_LABELS)
        for labels, count in self._counts.items():
            found.add_metric(list(labels), count)
        yield found


tally = Tally()
REGISTRY.register(tally)
