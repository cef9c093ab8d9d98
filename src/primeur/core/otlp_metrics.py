"""What usage events come to as OpenTelemetry metrics, in OTLP's JSON: histograms that only grow.

Source: OpenTelemetry, "Semantic conventions for generative AI metrics" (names, units, bounds), and OTLP 1.x, "JSON
Protobuf Encoding".
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from primeur.core.otlp import OPERATIONS, error_type, text_attribute
from primeur.core.usage import UsageEvent

Json = dict[str, Any]
Labels = tuple[tuple[str, str], ...]

SERIES_MOST = 2000
"""Histograms in all; what would begin another one is counted for the revision ``other``."""
_CUMULATIVE = 2


@dataclass(frozen=True, slots=True)
class Instrument:
    """A histogram as the conventions name it."""

    name: str
    unit: str
    about: str
    bounds: tuple[float, ...]


_SECONDS = tuple(0.01 * 2**power for power in range(14))
TOKENS = Instrument(
    "gen_ai.client.token.usage", "{token}", "Tokens of a request, by type", tuple(4.0**power for power in range(14))
)
DURATION = Instrument("gen_ai.server.request.duration", "s", "Time to the last byte of an answer", _SECONDS)
FIRST_TOKEN = Instrument(
    "gen_ai.server.time_to_first_token", "s", "Time to the first token of a completed answer",
    (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)  # fmt: skip
NEXT_TOKEN = Instrument(
    "gen_ai.server.time_per_output_token", "s", "Time from token to token of a completed stream",
    (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)  # fmt: skip
_ALL = (TOKENS, DURATION, FIRST_TOKEN, NEXT_TOKEN)


@dataclass(slots=True)
class _Series:
    counts: list[int]
    total: float = 0.0


@dataclass(slots=True)
class Tally:
    """Everything that was seen.

    Attributes:
        began_ms: when the first request of all came, UTC milliseconds; None before it.
    """

    began_ms: int | None = None
    _series: dict[tuple[Instrument, Labels], _Series] = field(default_factory=dict)

    def see(self, events: Iterable[UsageEvent]) -> None:
        """Count requests that reached a target."""
        for event in events:
            if event.revision_id:
                self.began_ms = event.at_ms if self.began_ms is None else min(self.began_ms, event.at_ms)
                for instrument, labels, value in _measured(event):
                    series = self._find(instrument, labels)
                    series.counts[bisect_left(instrument.bounds, value)] += 1
                    series.total += value

    def write(self, service: str, now_ms: int) -> Json:
        """Write an export request that says all of it, up to *now_ms*."""
        metrics = [
            {"name": one.name, "unit": one.unit, "description": one.about, "histogram": self._points(one, now_ms)}
            for one in _ALL
            if any(instrument is one for instrument, _ in self._series)
        ]
        scope = {"scope": {"name": "primeur"}, "metrics": metrics}
        resource = {"attributes": [text_attribute("service.name", service)]}
        return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}

    def _find(self, instrument: Instrument, labels: Labels) -> _Series:
        if (instrument, labels) not in self._series and len(self._series) >= SERIES_MOST:
            labels = tuple((key, "other" if key == "primeur.revision" else value) for key, value in labels)
        return self._series.setdefault((instrument, labels), _Series([0] * (len(instrument.bounds) + 1)))

    def _points(self, wanted: Instrument, now_ms: int) -> Json:
        points = [
            {
                "attributes": [text_attribute(key, value) for key, value in labels],
                "startTimeUnixNano": str((self.began_ms or 0) * 1_000_000),
                "timeUnixNano": str(now_ms * 1_000_000),
                "count": str(sum(series.counts)),
                "sum": series.total,
                "bucketCounts": [str(count) for count in series.counts],
                "explicitBounds": list(wanted.bounds),
            }
            for (instrument, labels), series in self._series.items()
            if instrument is wanted
        ]
        return {"aggregationTemporality": _CUMULATIVE, "dataPoints": points}


def _measured(event: UsageEvent) -> Iterator[tuple[Instrument, Labels, float]]:
    labels: Labels = (
        ("gen_ai.operation.name", OPERATIONS.get(event.route, event.route)),
        ("gen_ai.provider.name", event.provider),
        ("gen_ai.request.model", event.deployment),
        ("primeur.revision", event.revision_id),
    )
    usage, seconds = event.usage, event.duration_us / 1e6
    for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
        if count:
            yield TOKENS, (*labels, ("gen_ai.token.type", kind)), count
    fault = error_type(event)
    yield DURATION, (*labels, ("error.type", fault)) if fault else labels, seconds
    if event.outcome == "completed" and event.first_token_us is not None:
        first = event.first_token_us / 1e6
        yield FIRST_TOKEN, labels, first
        if event.streamed and usage.output_tokens > 1:
            yield NEXT_TOKEN, labels, (seconds - first) / (usage.output_tokens - 1)
