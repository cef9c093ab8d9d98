"""Invoices: lines in nanos, a total in cents with the remainder named, numbers without gaps; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from primeur.billing.rules.charging import CORRECTION, CREDIT, Line, Month, total_of
from primeur.billing.rules.credits import Burn, Charge, Wallet, after, burn, expire
from primeur.billing.rules.periods import Span, name_of
from primeur.core.errors import Conflict
from primeur.core.machine import Machine
from primeur.core.money import NANOS

INVOICE = "invoice"
CREDIT_NOTE = "credit_note"

FINAL = "final"  # has a number and never changes
PAID = "paid"  # the customer has paid
CREDITED = "credited"  # a credit note takes it back
PAPER = Machine("invoice", {(FINAL, "pay"): PAID, (FINAL, "credit"): CREDITED, (PAID, "credit"): CREDITED})

# ISO 4217: minor units that are no hundredth.
_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}


def minor_digits(currency: str) -> int:
    """Give how many decimals amounts of a currency are paid in.

    Source: ISO 4217, list one.
    """
    return _DIGITS.get(currency, 2)


def nanos_per_cent(currency: str) -> int:
    """Give the nanos of a currency's smallest coin, called cent whatever its name."""
    return NANOS // int(10 ** minor_digits(currency))


def to_cents(nanos: int, currency: str) -> tuple[int, int]:
    """Round once, halves away from zero; gives cents and the remainder in nanos, so that nanos = cents + remainder."""
    one = nanos_per_cent(currency)
    sign = -1 if nanos < 0 else 1
    cents = sign * ((abs(nanos) * 2 + one) // (2 * one))
    return cents, nanos - cents * one


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice before it has a number.

    Attributes:
        burns: what credits pay, and what of them is lost with this month.
        cents: the total; *remainder_nanos* is what rounding left.
    """

    lines: tuple[Line, ...]
    burns: tuple[Burn, ...]
    lost: tuple[Burn, ...]
    nanos: int
    cents: int
    remainder_nanos: int

    @property
    def kind(self) -> str:
        """A credit note where more is given back than charged."""
        return CREDIT_NOTE if self.cents < 0 else INVOICE

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.lines


def draft_invoice(
    month: Span,
    charged: Month,
    late: Mapping[str, int],
    wallet: Wallet,
    currency: str,
) -> Draft:
    """Put an invoice together: the month, what came late for months before, and what credits pay.

    Args:
        late: nanos by month, more or less than was invoiced for it.
    """
    late_lines = [Line(CORRECTION, name, nanos, month=name) for name, nanos in sorted(late.items()) if nanos]
    # What came late is charged where the month begins, for the credits that are good by then.
    more = sum(line.nanos or 0 for line in late_lines)
    charges = [*charged.charges, *([Charge(month.from_ms, more)] if more > 0 else [])]
    burnt = burn(wallet, charges)
    lines = (*charged.lines, *late_lines, *credit_lines(burnt, wallet, month))
    nanos = total_of(lines)
    cents, remainder = to_cents(nanos, currency)
    return Draft(lines, tuple(burnt), tuple(expire(after(wallet, burnt), month.to_ms)), nanos, cents, remainder)


def number_text(kind: str, issuer: str, year: int, count: int) -> str:
    """Write a number such as ``ACME-2026-00001``; credit notes count in a series of their own, with ``C``."""
    series = f"{issuer}-C" if kind == CREDIT_NOTE else issuer
    return f"{series}-{year}-{count:05d}"


def take_back(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Give the lines of a credit note that takes an invoice back: each of them, the other way round."""
    return tuple(
        Line(line.kind, line.label, None if line.nanos is None else -line.nanos, line.quantity, line.span, line.month)
        for line in lines
    )


def check_next(month: Span, last: Span | None, now_ms: int) -> None:
    """Let only a month that is over be invoiced, and months in their order.

    Raises:
        Conflict: the month runs still, or a later one is final.
    """
    if month.to_ms > now_ms:
        raise Conflict(f"{name_of(month)} is not over; try it with --dry-run")
    if last is not None and month.from_ms < last.from_ms:
        raise Conflict(f"{name_of(last)} is final already; what came late for {name_of(month)} is in the next invoice")


def credit_lines(burnt: Iterable[Burn], wallet: Wallet, month: Span) -> list[Line]:
    """Give a line for each credit that pays."""
    names = {one.id: one.name for one in wallet.grants}
    sums: dict[str, int] = {}
    for one in burnt:
        sums[one.grant_id] = sums.get(one.grant_id, 0) + one.nanos
    return [Line(CREDIT, names[grant], -nanos, month=name_of(month)) for grant, nanos in sums.items()]
