"""Statements of providers and partners: what they are owed for a month, less what was paid ahead; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from primeur.billing.rules.charging import CORRECTION, Line, Month, total_of
from primeur.billing.rules.credits import Charge, Wallet, after, burn, expire
from primeur.billing.rules.invoicing import Draft, credit_lines, to_cents
from primeur.billing.rules.periods import Span, day_of, name_of
from primeur.core.machine import Machine

PROVIDER = "provider"
PARTNER = "partner"
BOUGHT = "bought"
SHARED = "shared"
VOLUME = "volume"
KINDS = (PROVIDER, PARTNER)

FINAL = "final"  # has a number and never changes
PAID = "paid"  # we have paid it
STATEMENT = Machine("statement", {(FINAL, "pay"): PAID})


@dataclass(frozen=True, slots=True)
class Owed:
    """What requests of one deployment on one UTC day cost us or earn a partner, as they were booked."""

    day_ms: int
    deployment: str
    requests: int
    nanos: int


@dataclass(frozen=True, slots=True)
class Due:
    """What a party is due.

    Attributes:
        volume: nanos by deployment, what a month's tiers make it more or less than request by request.
        late: nanos by month before, more or less than was stated for it.
    """

    owed: Sequence[Owed]
    volume: Mapping[str, int]
    late: Mapping[str, int]


def draft_statement(kind: str, month: Span, due: Due, wallet: Wallet, currency: str) -> Draft:
    """Put a statement together: the month, its volume prices, what came late for months before, what credits pay."""
    lines = _sums(kind, month, due.owed)
    lines += [Line(VOLUME, name, nanos, month=name_of(month)) for name, nanos in sorted(due.volume.items()) if nanos]
    late_lines = [Line(CORRECTION, name, nanos, month=name) for name, nanos in sorted(due.late.items()) if nanos]
    more = sum(due.volume.values()) + total_of(late_lines)
    burnt = burn(wallet, lessened([Charge(one.day_ms, one.nanos) for one in due.owed if one.nanos > 0], month, more))
    lines += [*late_lines, *credit_lines(burnt, wallet, month)]
    nanos = total_of(lines)
    cents, remainder = to_cents(nanos, currency)
    lost = expire(after(wallet, burnt), month.to_ms)
    return Draft(tuple(lines), tuple(burnt), tuple(lost), nanos, cents, remainder)


def with_volume(charged: Month, month: Span, volume: Mapping[str, int]) -> Month:
    """Give a customer's month with what a month's tiers make it more or less than request by request."""
    lines = [Line(VOLUME, name, nanos, month=name_of(month)) for name, nanos in sorted(volume.items()) if nanos]
    if not lines:
        return charged
    return Month((*charged.lines, *lines), tuple(lessened(charged.charges, month, total_of(lines))))


def lessened(charges: Sequence[Charge], month: Span, more: int) -> list[Charge]:
    """Give charges that come to *more*: charged where the month begins, or taken off the last days where it is less."""
    if more >= 0:
        return [*charges, *([Charge(month.from_ms, more)] if more else [])]
    left, kept = -more, []
    for one in sorted(charges, key=lambda each: -day_of(each.day_ms)):
        off = min(left, one.nanos)
        left -= off
        if one.nanos > off:
            kept.append(Charge(one.day_ms, one.nanos - off))
    return kept


def statement_number(kind: str, issuer: str, year: int, count: int) -> str:
    """Write a number such as ``ACME-P-2026-00001``: providers count with P, partners with S."""
    return f"{issuer}-{'P' if kind == PROVIDER else 'S'}-{year}-{count:05d}"


def _sums(kind: str, month: Span, owed: Sequence[Owed]) -> list[Line]:
    sums: dict[str, tuple[int, int]] = {}
    for one in owed:
        count, nanos = sums.get(one.deployment, (0, 0))
        sums[one.deployment] = (count + one.requests, nanos + one.nanos)
    line = BOUGHT if kind == PROVIDER else SHARED
    return [Line(line, name, nanos, count, month, name_of(month)) for name, (count, nanos) in sorted(sums.items())]
