"""Judge a new revision beside the one before, by sequential tests that may be looked at at any moment; pure.

Each thing that is watched becomes questions of yes or no. Errors and guards are such questions. Of times, speeds and
costs it is asked how often the canary exceeds thresholds that the baseline's own earlier requests have set (median,
third quartile, 95th percentile): if the canary is not worse, it exceeds none of them more often than the baseline does.
`primeur.registry.sequential` answers them. The probability of a wrong roll-back, *alpha*, is divided over what is
watched (union bound): 60 % of it go to errors, which cost callers most, the rest evenly to the others. Within one
metric the evidence of its thresholds is averaged, which keeps the promise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Literal, cast

import msgspec

from primeur.registry.roll_outs import Metric, RollOutPolicy, alpha_of
from primeur.registry.sequential import TwoRates

CALIBRATION = 100
"""Observations of the baseline that set the thresholds of a metric."""
_QUANTILES = (0.5, 0.75, 0.95)
_MOST_E = 1e12


@dataclass(frozen=True, slots=True)
class Observation:
    """One answered request; None where it says nothing about a metric.

    Attributes:
        failed: the target did not answer properly.
        first_token_us: from arrival to the first piece of the answer.
        token_us: from arrival to the end, per token of the answer.
        guarded: a guard found fault with the answer.
    """

    failed: bool
    first_token_us: int | None = None
    token_us: float | None = None
    cost_nanos: int | None = None
    guarded: bool | None = None


class Finding(msgspec.Struct, frozen=True):
    """What is known about one metric.

    Attributes:
        canary, baseline: observations.
        canary_rate, baseline_rate: how often each failed, or exceeded the threshold with the strongest evidence.
        threshold: in the metric's own unit (microseconds, nanos, score); None for yes and no.
        e_value: evidence that the canary is worse, at its highest; 1 is none.
        limit: at this e-value it is taken back.
    """

    metric: str
    canary: int
    baseline: int
    canary_rate: float
    baseline_rate: float
    threshold: float | None
    e_value: float
    limit: float


class Verdict(msgspec.Struct, frozen=True):
    """What the judge says, why, and on which evidence."""

    answer: Literal["wait", "widen", "promote", "roll_back"]
    reason: str
    findings: list[Finding]


class _YesNo:
    """A metric that is a question by itself."""

    def __init__(self, known: int, known_bad: int) -> None:
        self.rates = TwoRates(known, known_bad)

    def see(self, *, canary: bool, value: float) -> None:
        self.rates.see(canary=canary, bad=value > 0)

    def log_peak(self) -> float:
        return self.rates.log_peak

    def log_now(self) -> float:
        return self.rates.log_now

    def strongest(self) -> tuple[TwoRates, float | None]:
        return self.rates, None


class _Exceeding:
    """A metric of which less is better; thresholds come from the baseline, the canary is forgiven *tolerance*."""

    def __init__(self, known: Sequence[float], tolerance: float) -> None:
        self.tolerance = 1.0 + tolerance
        self.calibration = list(known[-10 * CALIBRATION :])
        self.thresholds: list[float] = []
        self.rates: list[TwoRates] = []
        self.now = self.peak = 0.0
        if len(self.calibration) >= CALIBRATION:
            self._set()

    def see(self, *, canary: bool, value: float) -> None:
        if not self.thresholds:
            if not canary:
                self.calibration.append(value)
                if len(self.calibration) >= CALIBRATION:
                    self._set()
            return
        compared = value / self.tolerance if canary else value
        for threshold, rates in zip(self.thresholds, self.rates, strict=True):
            rates.see(canary=canary, bad=compared > threshold)
        logs = [rates.log_now for rates in self.rates]
        most = max(logs)
        self.now = most + log(sum(exp(one - most) for one in logs) / len(logs))
        self.peak = max(self.peak, self.now)

    def log_peak(self) -> float:
        return self.peak

    def log_now(self) -> float:
        return self.now

    def strongest(self) -> tuple[TwoRates, float | None]:
        if not self.rates:
            return TwoRates(), None
        best = max(range(len(self.rates)), key=lambda index: self.rates[index].log_peak)
        return self.rates[best], self.thresholds[best]

    def _set(self) -> None:
        ordered = sorted(self.calibration)
        self.thresholds = [ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in _QUANTILES]
        for threshold in self.thresholds:
            bad = sum(one > threshold for one in ordered)
            self.rates.append(TwoRates(len(ordered), bad))


class Trial:
    """The evidence of one roll-out, grown by one observation at a time."""

    def __init__(self, policy: RollOutPolicy, known: Sequence[Observation] = ()) -> None:
        """Start with what the baseline did before the roll-out, oldest first."""
        self.policy = policy
        self.seen = {True: 0, False: 0}
        self._metrics: dict[Metric, _YesNo | _Exceeding] = {}
        for metric in policy.watch:
            values = [value for one in known if (value := _value(metric, one)) is not None]
            if metric in {"errors", "guards"}:
                self._metrics[metric] = _YesNo(len(values), sum(value > 0 for value in values))
            else:
                self._metrics[metric] = _Exceeding(values, policy.tolerance if metric != "evaluation" else 0.0)

    def take(self, one: Observation, *, canary: bool) -> None:
        """Take one answered request, in the order in which they ended."""
        self.seen[canary] += 1
        for metric, test in self._metrics.items():
            value = _value(metric, one)
            if value is not None:
                test.see(canary=canary, value=value)

    def take_scores(self, canary: Iterable[float], baseline: Sequence[float]) -> None:
        """Take an evaluation: scores of both on the same items, higher is better; the first call counts."""
        test = self._metrics.get("evaluation")
        if not isinstance(test, _Exceeding) or test.thresholds:
            return
        # A shortfall is what exceeds: the sign turns "higher is better" round.
        half = len(baseline) // 2
        for score in baseline[:half]:
            test.see(canary=False, value=-score)
        if not test.thresholds and half:
            test._set()  # noqa: SLF001 (an evaluation is small: half of it sets the thresholds)
        for ours, theirs in zip(canary, baseline[half:], strict=False):
            test.see(canary=False, value=-theirs)
            test.see(canary=True, value=-ours)

    def findings(self) -> list[Finding]:
        """What is known about everything watched, the strongest evidence first."""
        found = []
        for metric, test in self._metrics.items():
            rates, threshold = test.strongest()
            base, base_bad = rates.baseline
            found.append(
                Finding(
                    metric=metric,
                    canary=rates.canary,
                    baseline=base,
                    canary_rate=rates.canary_bad / rates.canary if rates.canary else 0.0,
                    baseline_rate=base_bad / base if base else 0.0,
                    threshold=-threshold if metric == "evaluation" and threshold is not None else threshold,
                    e_value=min(_MOST_E, exp(min(test.log_peak(), 700.0))),
                    limit=1.0 / alpha_of(metric, self.policy),
                )
            )
        return sorted(found, key=lambda one: -one.e_value / one.limit)

    def is_pressing(self, one: Finding) -> bool:
        """Whether the evidence as it is now, not at its highest, is beyond the square root of the limit."""
        return self._metrics[cast("Metric", one.metric)].log_now() >= log(one.limit) / 2


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a roll-out stands.

    Attributes:
        step: index of the share it has; the last one is followed by all of the traffic.
        answers: of the canary, in this step.
        elapsed_s: in this step.
    """

    step: int
    answers: int
    elapsed_s: float


def judge(trial: Trial, stage: Stage) -> Verdict:
    """Say whether the canary of *trial* goes on, grows, takes over, or goes back."""
    policy, findings = trial.policy, trial.findings()
    worst = findings[0]
    if worst.e_value >= worst.limit:
        reason = f"{_told(worst)}; the evidence is {worst.e_value:.3g}, beyond {worst.limit:.3g}"
        return Verdict("roll_back", reason, findings)
    holding = _holding(policy, stage, next(filter(trial.is_pressing, findings), None))
    if holding is not None:
        return Verdict("wait", holding, findings)
    if stage.step + 1 < len(policy.steps):
        return Verdict("widen", f"nothing is worse after {trial.seen[True]} answers", findings)
    if policy.promote == "by_hand":
        return Verdict("wait", "nothing is worse; it waits to be promoted by hand", findings)
    return Verdict("promote", f"nothing is worse after {trial.seen[True]} answers", findings)


def _holding(policy: RollOutPolicy, stage: Stage, pressing: Finding | None) -> str | None:
    """Why the next step is not due yet."""
    if stage.answers < policy.step_requests:
        return f"{stage.answers} of {policy.step_requests} answers in this step"
    if stage.elapsed_s < policy.step_s:
        return f"{stage.elapsed_s:.0f} of {policy.step_s} s in this step"
    if pressing is not None:
        return f"{_told(pressing)}; not enough evidence to go back, too much to go on"
    return None


_UNITS = {"first_token": " µs", "speed": " µs a token", "cost": " nanos"}


def _told(one: Finding) -> str:
    rates = f"{one.canary_rate:.1%} of {one.canary} against {one.baseline_rate:.1%} of {one.baseline}"
    if one.threshold is None:
        return f"{one.metric}: {rates}"
    word = "below" if one.metric == "evaluation" else "above"
    return f"{one.metric} {word} {one.threshold:.6g}{_UNITS.get(one.metric, '')}: {rates}"


def _value(metric: Metric, one: Observation) -> float | None:
    match metric:
        case "errors":
            return float(one.failed)
        case "guards":
            return None if one.guarded is None else float(one.guarded)
        case "first_token":
            return one.first_token_us
        case "speed":
            return one.token_us
        case "cost":
            return one.cost_nanos
        case "evaluation":
            return None
