"""What is final stays: a price cannot begin before a paper ends that was made at the prices before it."""

from primeur.billing import invoice_rows
from primeur.billing.customer_rows import Customer, list_customers, payers
from primeur.billing.paper import date_text
from primeur.billing.rules.periods import month_named
from primeur.billing.rules.plans import check_currency
from primeur.billing.statement_rows import last_stated
from primeur.core.errors import Conflict
from primeur.governance.rows import list_projects
from primeur.store.database import Tx


def check_open(tx: Tx, party: str, from_ms: int) -> None:
    """Refuse a price of selling that begins before a final invoice of somebody whom it is for ends.

    Args:
        party: the organisation or project that it is for; nobody: it is a list price.

    Raises:
        Conflict: names the paper and the first day that is open.
    """
    for customer in concerned(tx, party):
        last = invoice_rows.last_period(tx, customer.id)
        if last is not None and from_ms < month_named(last).to_ms:
            raise Conflict(
                f"the invoice of {customer.name!r} for {last} is final and the price would begin before it ends; "
                f"let it begin on {date_text(month_named(last).to_ms)} or later",
                param="from_day",
            )


def check_negotiated(tx: Tx, party: str, currency: str) -> None:
    """Refuse a negotiated price in another currency than that of whoever pays it.

    Raises:
        BadRequest: the two differ.
    """
    for customer in concerned(tx, party):
        check_currency(f"the price for {customer.name!r}", currency, customer.currency)


def concerned(tx: Tx, party: str) -> list[Customer]:
    """Give the customers who pay for projects that a price is for."""
    paying = payers(tx)
    found = {paying.get(one.id) for one in list_projects(tx) if party in {"", one.id, one.organisation_id}}
    return [one for one in list_customers(tx) if one.id in found]


def check_stated(tx: Tx, kind: str, party: str, from_ms: int) -> None:
    """Refuse a price of buying, or a share, that begins before a final statement of the provider or partner ends.

    Raises:
        Conflict: names the month and the first day that is open.
    """
    last = last_stated(tx, kind, party)
    if last is not None and from_ms < month_named(last).to_ms:
        raise Conflict(
            f"the statement of {party!r} for {last} is final and this would begin before it ends; "
            f"let it begin on {date_text(month_named(last).to_ms)} or later",
            param="from_day",
        )
