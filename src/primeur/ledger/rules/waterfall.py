"""Who gets what of a profit: tiers as data, entitlements as exact fractions of what was ever distributed; pure.

Entitlements depend on the cumulative amount alone, and a payment is the difference of two of them. So one payment of X
is any split of X.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

Entitlement = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Tier:
    """How money is shared until somebody has received so much.

    Attributes:
        shares: by party; they sum to 1.
        until: (party, cents): the tier ends when *party* has received so much in all; None: it never ends.
    """

    shares: Mapping[str, Fraction]
    until: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The tiers of a distribution.

    Attributes:
        parties: in the order in which cents are rounded; the last one takes what is left of them.
        caps: the most that a party may ever receive, in cents.
        overflow: party to who gets what it would get beyond its cap.
        carries_losses: only the rise of cumulative profit above its highest mark is distributed.
        minimum: a smaller distribution waits for the next period, in cents.
    """

    parties: Sequence[str]
    tiers: Sequence[Tier]
    caps: Mapping[str, int]
    overflow: Mapping[str, str]
    carries_losses: bool = True
    minimum: int = 0

    def entitled(self, total: Fraction) -> Entitlement:
        """Give what each party is entitled to of *total* cents distributed since the beginning; sums to *total*."""
        return self._shared(total)[0]

    def in_cents(self, total: int) -> dict[str, int]:
        """Give the entitlements to *total* in whole cents; they sum to it, and none passes its cap.

        Whoever shares in the next cent gets running sums rounded down, in the order of the parties; whoever has all
        that is coming to it keeps its last cent whole.
        """
        exact, flows = self._shared(Fraction(total))
        cents = {party: ceil(exact[party]) for party in self.parties if not flows[party]}
        running, before = sum((exact[party] - whole for party, whole in cents.items()), Fraction(0)), 0
        for party in (one for one in self.parties if flows[one]):
            running += exact[party]
            cents[party] = floor(running) - before
            before = floor(running)
        return cents

    def _shared(self, total: Fraction) -> tuple[Entitlement, Entitlement]:
        """Give the entitlements, and each party's part of the last cent."""
        got = dict.fromkeys(self.parties, Fraction(0))
        left, flows = total, dict(got)
        for tier in self.tiers:
            # A tier has at most one turn for each party that reaches its cap, and a last one.
            for _ in range(len(self.parties) + 1):
                if not left or self._is_over(tier, got):
                    break
                flows = self._flows(tier, got)
                step = min(left, self._room(tier, got, flows))
                for party, share in flows.items():
                    got[party] += share * step
                left -= step
        return got, flows

    def _flows(self, tier: Tier, got: Entitlement) -> Entitlement:
        """Give each party's part of the next cent, what capped parties would get passed on."""
        flows = dict.fromkeys(self.parties, Fraction(0))
        for party, share in tier.shares.items():
            taker = party
            while taker in self.caps and got[taker] >= self.caps[taker]:
                taker = self.overflow[taker]
            flows[taker] += share
        return flows

    def _room(self, tier: Tier, got: Entitlement, flows: Entitlement) -> Fraction:
        """Give how much can flow like this until a cap or the tier's end is reached."""
        ends: list[tuple[str, int]] = [(party, cap) for party, cap in self.caps.items() if got[party] < cap]
        if tier.until is not None:
            ends.append(tier.until)
        rooms = [(cap - got[party]) / flows[party] for party, cap in ends if flows[party]]
        return min(rooms, default=Fraction(1 << 200))

    @staticmethod
    def _is_over(tier: Tier, got: Entitlement) -> bool:
        return tier.until is not None and got[tier.until[0]] >= tier.until[1]


@dataclass(frozen=True, slots=True)
class Payment:
    """What one period pays, in cents.

    Attributes:
        cumulative: distributed since the beginning, this period included.
        paid: by party.
    """

    period: str
    profit: int
    distributed: int
    cumulative: int
    paid: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a distribution stands after the periods so far, in cents.

    Attributes:
        total: of all profits and losses.
        mark: what could have been distributed at most: the highest total, or all good periods.
        cumulative: what was distributed; *paid* of it, by party.
    """

    total: int
    mark: int
    cumulative: int
    paid: Mapping[str, int]


def distribute(waterfall: Waterfall, profits: Sequence[tuple[str, int]]) -> list[Payment]:
    """Give what each period pays; *profits* are (period, cents), losses negative."""
    standing = Standing(0, 0, 0, {})
    payments = []
    for period, profit in profits:
        payment, standing = pay_next(waterfall, standing, period, profit)
        payments.append(payment)
    return payments


def pay_next(waterfall: Waterfall, standing: Standing, period: str, profit: int) -> tuple[Payment, Standing]:
    """Give what one more period pays, and where the distribution stands then; a loss is negative.

    A distribution of so few cents that rounding would take one back from somebody waits for the next period.
    """
    total = standing.total + profit
    # Without carrying losses, a bad period is forgotten; a good one is paid out in full.
    mark = max(standing.mark, total) if waterfall.carries_losses else standing.mark + max(0, profit)
    before = {party: standing.paid.get(party, 0) for party in waterfall.parties}
    now, cumulative = waterfall.in_cents(mark), mark
    if mark - standing.cumulative < waterfall.minimum or any(now[party] < before[party] for party in now):
        now, cumulative = before, standing.cumulative
    paid = {party: now[party] - before[party] for party in waterfall.parties}
    payment = Payment(period, profit, cumulative - standing.cumulative, cumulative, paid)
    return payment, Standing(total, mark, cumulative, {**standing.paid, **now})
