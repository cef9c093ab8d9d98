"""Metrics of several processes as those of one: samples of the same name and labels are added up."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families


class _Sum:
    """A collector of what others have collected."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._families: dict[str, Metric] = {}
        self._values: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
        for text in texts:
            for family in text_string_to_metric_families(text.decode()):
                self._families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    place = (family.name, sample.name, tuple(sample.labels.items()))
                    self._values[place] = self._values.get(place, 0.0) + sample.value

    def collect(self) -> Iterable[Metric]:
        """Tell Prometheus."""
        for (family, name, labels), value in self._values.items():
            self._families[family].add_sample(name, dict(labels), value)
        return self._families.values()


def add_up(texts: Sequence[bytes]) -> bytes:
    """Add up several answers in Prometheus' text format; gauges too: memory is that of all processes together."""
    registry = CollectorRegistry()
    registry.register(_Sum(texts))
    return generate_latest(registry)
