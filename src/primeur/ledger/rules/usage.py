"""What one request books: revenue, what its capacity cost, and the partner's share; pure."""

from fractions import Fraction

import msgspec

from primeur.ledger.rules.entries import Account, Entry, Legs, account_name


class Way(msgspec.Struct, frozen=True, gc=False):
    """The accounts of all requests that share project, deployment, provider and terms.

    Attributes:
        sold, bought: debit and credit; None: there is no price.
        shared: the same of the partner's share, and its part of revenue.
    """

    sold: tuple[Account, Account] | None
    bought: tuple[Account, Account] | None = None
    shared: tuple[Account, Account] | None = None
    part: Fraction = Fraction(0)


def sale(project: str, deployment: str, currency: str, *, prepaid: bool) -> tuple[Account, Account]:
    """Give debit and credit of a sale: what the customer owes, or has paid ahead, becomes revenue."""
    owed = (
        account_name("Liabilities", "deposits", project) if prepaid else account_name("Assets", "receivable", project)
    )
    return Account(owed, currency), Account(account_name("Income", "inference", deployment or "none"), currency)


def purchase(provider: str, currency: str, *, prepaid: bool) -> tuple[Account, Account]:
    """Give debit and credit of capacity: its cost is owed to the provider, or taken from what was paid ahead."""
    owed = account_name("Assets", "prepaid", provider) if prepaid else account_name("Liabilities", "payable", provider)
    return Account(account_name("Expenses", "capacity", provider), currency), Account(owed, currency)


def partner_share(partner: str, currency: str) -> tuple[Account, Account]:
    """Give debit and credit of a partner's share of revenue."""
    expense = account_name("Expenses", "revenue-share", partner)
    return Account(expense, currency), Account(account_name("Liabilities", "payable", partner), currency)


def usage_entry(key: str, at_ms: int, way: Way, sold_nanos: int, bought_nanos: int) -> Entry | None:
    """Make the transaction of one request; None when no money moves. The share is rounded down to a nano."""
    legs: Legs = ()
    if sold_nanos and (sold := way.sold) is not None:
        legs = ((sold[0], sold_nanos), (sold[1], -sold_nanos))
    if bought_nanos and (bought := way.bought) is not None:
        legs = (*legs, (bought[0], bought_nanos), (bought[1], -bought_nanos))
    if sold_nanos and (shared := way.shared) is not None:
        part = sold_nanos * way.part.numerator // way.part.denominator
        if part:
            legs = (*legs, (shared[0], part), (shared[1], -part))
    return Entry(key, "usage", at_ms, legs) if legs else None
