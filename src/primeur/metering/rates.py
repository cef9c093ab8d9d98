"""Prices by unit, of selling and of buying: which one holds for a request, and what it comes to; pure."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Literal

import msgspec

from primeur.core.errors import BadRequest
from primeur.core.usage import UsageEvent

UNITS = ("input", "cached", "output", "reasoning", "request", "gpu_second")
Side = Literal["sell", "buy"]
Steps = Sequence[tuple[int, int]]


class Rate(msgspec.Struct, frozen=True):
    """A price from a moment on.

    Attributes:
        side: ``sell``: what a customer pays; ``buy``: what a provider, or a GPU of our own, costs.
        party: of selling a project or organisation (negotiated), or nobody (list); of buying the provider or engine.
        subject: the deployment; empty: all of them.
        units: nanos for each of a unit, by the quantity in one request from which on they hold, rising from 0.
            Cached and reasoning tokens without a price of their own are input and output.
        prepaid: taken from what was paid ahead, instead of owed.
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
        BadRequest: an unknown unit, steps that do not rise from 0, or a negative price.
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


def rate_cost(event: UsageEvent, rate: Rate) -> int:
    """Give what a request comes to at a rate, in nanos; a part of a nano is dropped."""
    usage = event.usage
    cached = min(usage.cached_tokens, usage.input_tokens) if "cached" in rate.units else 0
    reasoning = min(usage.reasoning_tokens, usage.output_tokens) if "reasoning" in rate.units else 0
    total = 0
    for unit, steps in rate.units.items():
        if unit == "input":
            total += _stepped(usage.input_tokens - cached, steps)
        elif unit == "cached":
            total += _stepped(cached, steps)
        elif unit == "output":
            total += _stepped(usage.output_tokens - reasoning, steps)
        elif unit == "reasoning":
            total += _stepped(reasoning, steps)
        elif unit == "request":
            total += _stepped(1, steps)
        else:
            total += _stepped(event.duration_us, steps) // 1_000_000
    return total


def choose_rate(rates: Iterable[Rate], parties: Sequence[str], subject: str, at_ms: int) -> Rate | None:
    """Give the rate that holds: of the first party that has one, for the deployment itself before all, the newest."""
    fitting = [one for one in rates if one.from_ms <= at_ms and one.party in parties and one.subject in {subject, ""}]
    return min(fitting, key=lambda one: (parties.index(one.party), one.subject == "", -one.from_ms), default=None)


def choose_share(shares: Iterable[Share], provider: str, deployment: str, at_ms: int) -> Share | None:
    """Give the share that holds: the most exact one, then the newest."""
    fitting = [
        one for one in shares
        if one.from_ms <= at_ms and one.provider in {provider, ""} and one.deployment in {deployment, ""}
    ]  # fmt: skip
    return min(fitting, key=lambda one: (one.provider == "", one.deployment == "", -one.from_ms), default=None)


def _stepped(quantity: int, steps: Steps) -> int:
    if len(steps) == 1:
        return quantity * steps[0][1]
    total, above = 0, quantity
    for begin, nanos in reversed(steps):
        if above > begin:
            total += (above - begin) * nanos
            above = begin
    return total
