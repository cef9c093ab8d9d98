"""Prices by unit, of selling and of buying: which one holds for a request, and what it comes to; pure."""

from collections.abc import Container, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Literal

import msgspec

from primeur.core.errors import BadRequest
from primeur.core.usage import Usage, UsageEvent

TOKEN_UNITS = ("input", "cached", "output", "reasoning")
TIME_UNITS = ("gpu_second", "gpu_hour")
UNITS = (*TOKEN_UNITS, "image", "request", *TIME_UNITS)
_US = {"gpu_second": 1_000_000, "gpu_hour": 3_600_000_000}
Side = Literal["sell", "buy"]
Per = Literal["request", "month"]
Steps = Sequence[tuple[int, int]]


class Rate(msgspec.Struct, frozen=True):
    """A price from a moment on.

    Attributes:
        side: ``sell``: what a customer pays; ``buy``: what a provider, or a GPU of our own, costs.
        party: of selling a project or organisation (negotiated), or nobody (list); of buying the provider or engine.
        subject: the deployment; empty: all of them.
        units: nanos for each of a unit, by the quantity from which on they hold, rising from 0. Cached and reasoning
            tokens without a price of their own are input and output.
        prepaid: taken from what was paid ahead, instead of owed.
        per: what quantities are counted over: one request, or all of a calendar month; a month's later steps are
            settled with its invoice or statement.
    """

    id: str
    side: Side
    party: str
    subject: str
    currency: str
    units: Mapping[str, Steps]
    from_ms: int
    created_ms: int
    prepaid: bool = False
    per: Per = "request"


class Share(msgspec.Struct, frozen=True):
    """A partner's part of revenue from a moment on; empty provider or deployment: all of them."""

    id: str
    provider: str
    deployment: str
    partner: str
    part: Fraction
    from_ms: int
    created_ms: int


def check_rate(rate: Rate) -> None:
    """Refuse what is no price.

    Raises:
        BadRequest: an unknown unit, steps that do not rise from 0, a negative price, or one that leaves tokens out.
    """
    if not rate.units:
        raise BadRequest(f"a price needs one unit at least: {', '.join(UNITS)}")
    for unit, steps in rate.units.items():
        if unit not in UNITS:
            raise BadRequest(f"there is no unit {unit!r}; there are {', '.join(UNITS)}")
        begins = [begin for begin, _ in steps]
        if not begins or begins[0] != 0 or sorted(set(begins)) != begins:
            raise BadRequest(f"the steps of {unit} must rise from 0")
        if any(not 0 <= nanos < 1 << 53 for _, nanos in steps):
            raise BadRequest(f"a price of {unit} is negative or beyond reason")
    said = [unit for unit in TOKEN_UNITS if unit in rate.units]
    missing = [unit for unit in ("input", "output") if unit not in rate.units]
    if said and missing:
        raise BadRequest(
            f"a price of {said[0]} tokens leaves {missing[0]} tokens out; say 0 if they are free", param=missing[0]
        )


def rate_cost(event: UsageEvent, rate: Rate) -> int:
    """Give what a request comes to at a rate, in nanos; a part of a nano is dropped."""
    return Tariff(rate).cost(event)


def charged_units(rate: Rate) -> dict[str, Steps]:
    """Give the steps at which one request is charged: the first where quantities are counted over a month."""
    return {unit: steps[:1] if rate.per == "month" else steps for unit, steps in rate.units.items()}


class Tariff:
    """A rate made ready for many requests: most have one price for each token and nothing else."""

    __slots__ = ("_cached", "_flat", "_input", "_output", "_reasoning", "_units")

    def __init__(self, rate: Rate) -> None:
        """See `charged_units`."""
        self._units = charged_units(rate)
        self._flat = all(unit in TOKEN_UNITS and len(steps) == 1 for unit, steps in self._units.items())
        first = {unit: steps[0][1] for unit, steps in self._units.items()}
        self._input, self._output = first.get("input", 0), first.get("output", 0)
        self._cached = first.get("cached", self._input) - self._input
        self._reasoning = first.get("reasoning", self._output) - self._output

    def cost(self, event: UsageEvent) -> int:
        """Give what a request comes to, in nanos; a part of a nano is dropped."""
        if not self._flat:
            return Used.of(event).cost(self._units)
        usage = event.usage
        total = usage.input_tokens * self._input + usage.output_tokens * self._output
        if self._cached and usage.cached_tokens:
            total += min(usage.cached_tokens, usage.input_tokens) * self._cached
        if self._reasoning and usage.reasoning_tokens:
            total += min(usage.reasoning_tokens, usage.output_tokens) * self._reasoning
        return total


class Used(msgspec.Struct, frozen=True, gc=False):
    """Quantities of one request, or sums of many, that prices are for."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    images: int
    requests: int
    duration_us: int

    @classmethod
    def of(cls, event: UsageEvent) -> "Used":
        """Give those of one request."""
        return cls.of_answer(event.usage, event.images, event.duration_us)

    @classmethod
    def of_answer(cls, usage: Usage, images: int, duration_us: int = 0) -> "Used":
        """Give those of one answer, to a prompt with so many images."""
        cached = min(usage.cached_tokens, usage.input_tokens)
        reasoning = min(usage.reasoning_tokens, usage.output_tokens)
        return cls(usage.input_tokens, cached, usage.output_tokens, reasoning, images, 1, duration_us)

    def quantity(self, unit: str, priced: Container[str]) -> int:
        """Give how many of a unit there are, where *priced* are those with a price of their own; GPU time in us."""
        if unit == "input":
            return self.input_tokens - (self.cached_tokens if "cached" in priced else 0)
        if unit == "output":
            return self.output_tokens - (self.reasoning_tokens if "reasoning" in priced else 0)
        plain = {"cached": self.cached_tokens, "reasoning": self.reasoning_tokens, "image": self.images}
        return (plain | {"request": self.requests}).get(unit, self.duration_us)

    def cost(self, units: Mapping[str, Steps]) -> int:
        """Give what they come to, in nanos, by the steps of each unit."""
        return sum(_stepped(self.quantity(unit, units), steps, _US.get(unit, 1)) for unit, steps in units.items())


def choose_rate(rates: Iterable[Rate], parties: Sequence[str], subject: str, at_ms: int) -> Rate | None:
    """Give the rate that holds: of the first party that has one, for the deployment itself before all, the newest."""
    fitting = [one for one in rates if one.from_ms <= at_ms and one.party in parties and one.subject in {subject, ""}]
    return min(
        fitting,
        key=lambda one: (parties.index(one.party), one.subject == "", -one.from_ms, -one.created_ms, one.id),
        default=None,
    )


def choose_share(shares: Iterable[Share], provider: str, deployment: str, at_ms: int) -> Share | None:
    """Give the share that holds: the most exact one, then the newest."""
    fitting = [
        one for one in shares
        if one.from_ms <= at_ms and one.provider in {provider, ""} and one.deployment in {deployment, ""}
    ]  # fmt: skip
    return min(
        fitting,
        key=lambda one: (one.provider == "", one.deployment == "", -one.from_ms, -one.created_ms, one.id),
        default=None,
    )


def _stepped(quantity: int, steps: Steps, scale: int) -> int:
    """Charge each part of a quantity at its step; *scale*: how many of the quantity are one of what steps count."""
    total, above = 0, quantity
    for begin, nanos in reversed(steps):
        if above > begin * scale:
            total += (above - begin * scale) * nanos
            above = begin * scale
    return total // scale
