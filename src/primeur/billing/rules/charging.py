"""What a customer owes for a month, from sums of usage and the terms of a subscription; pure.

The same code charges a real month, tries one out, and answers what-if.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from primeur.billing.rules.credits import Charge
from primeur.billing.rules.periods import DAY_MS, Span, day_of, name_of
from primeur.billing.rules.plans import Plan, check_currency
from primeur.billing.rules.subscriptions import Term, charge_terms, term_at

FEE = "fee"
USAGE = "usage"
INCLUDED = "included"
UNPRICED = "unpriced"
CORRECTION = "correction"
CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class UsageSum:
    """What was used of one deployment on one UTC day.

    Attributes:
        tokens: input and output together, of requests with a price.
        cost_nanos: of those, as each was charged.
        currency: of *cost_nanos*; None where nothing has a price.
        unpriced_tokens: of requests without a price; their cost is unknown, not zero.
    """

    day_ms: int
    deployment: str
    requests: int
    tokens: int
    cost_nanos: int
    currency: str | None
    unpriced_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice.

    Attributes:
        kind: a constant of this module.
        label: the plan, deployment, credit or month it is about.
        quantity: tokens, seats or requests; None where nothing is counted.
        nanos: None is *unknown*, which is shown and adds nothing.
        month: the month that it charges; another one than the invoice's for what came late.
    """

    kind: str
    label: str
    nanos: int | None
    quantity: int | None = None
    span: Span | None = None
    month: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """A month charged: its lines, and what each day adds for credits to pay."""

    lines: tuple[Line, ...]
    charges: tuple[Charge, ...]

    @property
    def nanos(self) -> int:
        """All of it, before credits."""
        return total_of(self.lines)


def total_of(lines: Iterable[Line]) -> int:
    """Sum up lines; what is unknown adds nothing."""
    return sum(line.nanos or 0 for line in lines)


def charge_month(
    month: Span, usage: Sequence[UsageSum], terms: Sequence[Term], plans: Mapping[str, Plan], currency: str
) -> Month:
    """Charge a month: fees, usage at each deployment's price or the plan's overage, less what is included.

    Included tokens of all terms are one pool. They lift the month's average: of what usage costs, the part that the
    pool is of all tokens is taken off, rounded down. So it doesn't matter in which order requests arrived.

    Raises:
        BadRequest: a plan or a price in another currency than the customer's.
    """
    within = [one for one in usage if month.holds(one.day_ms)]
    fees = charge_terms(terms, dict(plans), month)
    for one in fees:
        check_currency(f"the plan {plans[one.plan_id].name!r}", plans[one.plan_id].currency, currency)
    gross = _gross(within, terms, plans, month, currency)
    tokens = sum(tokens for _, _, tokens, _ in gross)
    covered = min(tokens, sum(one.included_tokens for one in fees))
    lines = [
        Line(FEE, plans[one.plan_id].name, one.fee_nanos, one.seats, one.span, name_of(month))
        for one in fees
        if one.fee_nanos or plans[one.plan_id].fee_nanos
    ]
    lines += _usage_lines(gross, month)
    off = _off(sum(nanos for *_, nanos in gross), covered, tokens)
    if covered:
        lines.append(Line(INCLUDED, "", -off, covered, month, name_of(month)))
    lines += _unpriced_lines(within, terms, plans, month)
    charges = [Charge(day_of(one.span.from_ms), one.fee_nanos) for one in fees if one.fee_nanos > 0]
    return Month(tuple(lines), (*charges, *_days(gross, covered, tokens)))


_Gross = tuple[int, str, int, int]  # day, deployment, tokens, nanos


def _plan_on(terms: Sequence[Term], plans: Mapping[str, Plan], day_ms: int) -> Plan | None:
    """The plan that a day's usage falls under: the one in force when the day begins, else the day's first."""
    at = term_at(terms, day_ms) or next((one for one in terms if day_ms <= one.from_ms < day_ms + DAY_MS), None)
    return None if at is None else plans[at.plan_id]


def _gross(
    usage: Iterable[UsageSum], terms: Sequence[Term], plans: Mapping[str, Plan], month: Span, currency: str
) -> list[_Gross]:
    found: list[_Gross] = []
    for one in sorted(usage, key=lambda each: (each.day_ms, each.deployment, each.currency or "")):
        plan = _plan_on(terms, plans, max(one.day_ms, month.from_ms))
        if plan is not None and plan.overage_nanos is not None:
            tokens = one.tokens + one.unpriced_tokens
            found.append((one.day_ms, one.deployment, tokens, tokens * plan.overage_nanos))
        elif one.currency is not None:
            check_currency(f"the price of {one.deployment!r}", one.currency, currency)
            found.append((one.day_ms, one.deployment, one.tokens, one.cost_nanos))
    return [one for one in found if one[2] or one[3]]


def _usage_lines(gross: Iterable[_Gross], month: Span) -> list[Line]:
    sums: dict[str, tuple[int, int]] = {}
    for _, deployment, tokens, nanos in gross:
        before = sums.get(deployment, (0, 0))
        sums[deployment] = (before[0] + tokens, before[1] + nanos)
    return [
        Line(USAGE, deployment, nanos, tokens, month, name_of(month))
        for deployment, (tokens, nanos) in sorted(sums.items())
    ]


def _unpriced_lines(
    usage: Iterable[UsageSum], terms: Sequence[Term], plans: Mapping[str, Plan], month: Span
) -> list[Line]:
    sums: dict[str, int] = {}
    for one in usage:
        plan = _plan_on(terms, plans, one.day_ms)
        if one.unpriced_tokens and (plan is None or plan.overage_nanos is None):
            sums[one.deployment] = sums.get(one.deployment, 0) + one.unpriced_tokens
    return [Line(UNPRICED, name, None, tokens, month, name_of(month)) for name, tokens in sorted(sums.items())]


def _off(nanos: int, covered: int, tokens: int) -> int:
    return nanos * covered // tokens if tokens else 0


def _days(gross: Sequence[_Gross], covered: int, tokens: int) -> list[Charge]:
    """What each day adds after the included part, as differences of the month so far: they sum up exactly."""
    charges: list[Charge] = []
    so_far = net_before = 0
    for day_ms in sorted({day for day, *_ in gross}):
        so_far += sum(nanos for day, _, _, nanos in gross if day == day_ms)
        net = so_far - _off(so_far, covered, tokens)
        if net > net_before:
            charges.append(Charge(day_ms, net - net_before))
        net_before = net
    return charges
