"""Prepaid wallets, credits and compute credits: burned by priority, then by what expires first; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from primeur.billing.rules.periods import DAY_MS, day_of
from primeur.core.errors import BadRequest

PREPAID = "prepaid"  # paid for ahead: a wallet
PROMOTION = "promotion"  # given
COMPUTE = "compute"  # capacity paid for ahead, at a cloud or for a customer
KINDS = (PREPAID, PROMOTION, COMPUTE)

_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Grant:
    """Money or capacity that was paid or given ahead.

    Attributes:
        holder: a customer's id, or ``provider:NAME`` for what we hold at a provider.
        priority: the lowest number is burned first.
        from_ms: first moment of the UTC day from which it is good.
        expires_ms: first moment of the UTC day on which it is good no more; None is never.
    """

    id: str
    holder: str
    name: str
    kind: str
    currency: str
    nanos: int
    priority: int
    from_ms: int
    created_ms: int
    expires_ms: int | None = None

    def is_good(self, day_ms: int) -> bool:
        """Whether it can pay for a day."""
        return self.from_ms <= day_ms < (_NEVER if self.expires_ms is None else self.expires_ms)


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of a grant, in nanos: granted = used + expired + left."""

    granted: int
    used: int = 0
    expired: int = 0

    @property
    def left(self) -> int:
        """What can still be used."""
        return self.granted - self.used - self.expired


@dataclass(frozen=True, slots=True)
class Charge:
    """Something to be paid for.

    Attributes:
        day_ms: the UTC day it belongs to.
        nanos: more than zero.
    """

    day_ms: int
    nanos: int


@dataclass(frozen=True, slots=True)
class Burn:
    """A part of a grant that paid for a day, or that is lost because its time is over."""

    grant_id: str
    day_ms: int
    nanos: int


@dataclass(frozen=True, slots=True)
class Wallet:
    """A holder's grants.

    Attributes:
        left: nanos by the grant's id.
    """

    grants: Sequence[Grant] = ()
    left: Mapping[str, int] = field(default_factory=dict)


def check_grant(grant: Grant) -> Grant:
    """Give *grant* back if it can be.

    Raises:
        BadRequest: no amount, an unknown kind, or over before it begins.
    """
    if grant.nanos <= 0:
        raise BadRequest("a credit must be more than zero", param="amount")
    if grant.kind not in KINDS:
        raise BadRequest(f"a credit cannot be {grant.kind!r}; choose {', '.join(KINDS)}", param="kind")
    if grant.from_ms % DAY_MS or (grant.expires_ms or 0) % DAY_MS:
        raise BadRequest("a credit begins and expires with a UTC day", param="expires")
    if grant.expires_ms is not None and grant.expires_ms <= grant.from_ms:
        raise BadRequest("a credit cannot expire before it is good", param="expires")
    return grant


def burning_order(grants: Iterable[Grant]) -> list[Grant]:
    """Sort by priority, then what expires first, then the oldest."""
    return sorted(
        grants,
        key=lambda one: (one.priority, _NEVER if one.expires_ms is None else one.expires_ms, one.from_ms, one.id),
    )


def burn(wallet: Wallet, charges: Sequence[Charge]) -> list[Burn]:
    """Pay *charges* from *wallet*, day by day; gives what was taken, one for each grant and day."""
    order, rest = burning_order(wallet.grants), dict(wallet.left)
    burnt: list[Burn] = []
    for day_ms, charged in sorted(_by_day(charges).items()):
        due = charged
        for grant in order:
            taken = min(due, rest.get(grant.id, 0)) if grant.is_good(day_ms) else 0
            if taken > 0:
                rest[grant.id] -= taken
                due -= taken
                burnt.append(Burn(grant.id, day_ms, taken))
    return burnt


def expire(wallet: Wallet, now_ms: int) -> list[Burn]:
    """Give what is lost by *now_ms*: all that is left of grants whose time is over."""
    return [
        Burn(one.id, one.expires_ms, wallet.left[one.id])
        for one in burning_order(wallet.grants)
        if one.expires_ms is not None and one.expires_ms <= now_ms and wallet.left.get(one.id, 0) > 0
    ]


def after(wallet: Wallet, burns: Iterable[Burn]) -> Wallet:
    """Give the wallet as it is when *burns* are taken out."""
    left = dict(wallet.left)
    for one in burns:
        left[one.grant_id] -= one.nanos
    return Wallet(wallet.grants, left)


def _by_day(charges: Iterable[Charge]) -> dict[int, int]:
    days: dict[int, int] = {}
    for charge in charges:
        day = day_of(charge.day_ms)
        days[day] = days.get(day, 0) + charge.nanos
    return {day: nanos for day, nanos in days.items() if nanos > 0}
