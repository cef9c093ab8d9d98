"""Post what billing does: grants, invoices, payments and what takes them back."""

from collections.abc import Mapping, Sequence

from primeur.billing.credit_rows import PROVIDER_HOLDER, find_grant
from primeur.billing.invoice_rows import Invoice
from primeur.billing.rules.charging import FEE, total_of
from primeur.billing.rules.credits import PREPAID, PROMOTION, Burn, Grant
from primeur.ledger import rows as ledger
from primeur.ledger.rules.entries import SETTLEMENTS, Account, Entry, account_name, reversal, settlement
from primeur.store.database import Tx


def owed_by(customer_id: str) -> str:
    """Name the account of what a customer owes by invoices."""
    return account_name("Assets", "invoiced", customer_id)


def prepaid_at(provider: str) -> str:
    """Name the account of what we paid ahead to a provider."""
    return account_name("Assets", "prepaid", provider)


def _deposit(customer_id: str) -> str:
    return account_name("Liabilities", "deposits", customer_id)


def book_grant(tx: Tx, grant: Grant) -> None:
    """Post a grant: what a customer paid ahead or was given, or what we paid ahead to a provider."""
    if grant.holder.startswith(PROVIDER_HOLDER):
        debit = prepaid_at(grant.holder.removeprefix(PROVIDER_HOLDER))
        credit = "Assets:Bank" if grant.kind != PROMOTION else "Income:Provider-Credits"
    else:
        credit = _deposit(grant.holder)
        debit = "Assets:Bank" if grant.kind == PREPAID else "Expenses:Promotions"
    legs = ((Account(debit, grant.currency), grant.nanos), (Account(credit, grant.currency), -grant.nanos))
    ledger.post(tx, Entry(f"grant:{grant.id}", "grant", grant.created_ms, legs, grant.name))


def book_invoice(tx: Tx, invoice: Invoice, burnt: int, uncleared: Mapping[str, int]) -> None:
    """Post an invoice: what projects owed request by request becomes one debt in cents, the remainder posted.

    Args:
        burnt: nanos that credits paid.
        uncleared: by project, nanos that its requests up to the month's end owe and no invoice has taken over.
    """
    currency = invoice.currency
    fees = total_of(line for line in invoice.lines if line.kind == FEE)
    # Plans and corrections charge more or less than the requests' own prices: the difference is income too.
    rest = invoice.nanos + burnt - fees - sum(uncleared.values())
    moved = {
        owed_by(invoice.customer_id): invoice.nanos,
        _deposit(invoice.customer_id): burnt,
        "Income:Plans": -fees,
        "Income:Plan-Adjustments": -rest,
    } | {account_name("Assets", "receivable", project): -nanos for project, nanos in uncleared.items()}
    legs = [(Account(name, currency), nanos) for name, nanos in moved.items() if nanos]
    legs += settlement(owed_by(invoice.customer_id), currency, invoice.nanos, invoice.cents)
    legs = [(account, amount) for account, amount in legs if amount]
    if len(legs) > 1:
        ledger.post(tx, Entry(_key(invoice.id), "invoice", invoice.created_ms, tuple(legs), invoice.number))


def book_lost(tx: Tx, lost: Sequence[Burn], paper_id: str, at_ms: int) -> None:
    """Post what is lost of credits whose time is over: nobody is owed it any more, or we have lost it."""
    for one in lost:
        grant = find_grant(tx, one.grant_id)
        debit, credit = _deposit(grant.holder), "Income:Expired-Credits"
        if grant.holder.startswith(PROVIDER_HOLDER):
            debit, credit = "Expenses:Expired-Credits", prepaid_at(grant.holder.removeprefix(PROVIDER_HOLDER))
        legs = ((Account(debit, grant.currency), one.nanos), (Account(credit, grant.currency), -one.nanos))
        ledger.post(tx, Entry(f"expired:{paper_id}:{grant.id}", "expiry", at_ms, legs, grant.name))


def book_payment(tx: Tx, invoice: Invoice, at_ms: int) -> None:
    """Post that an invoice is paid."""
    if invoice.cents == 0:
        return
    legs = (
        (Account("Assets:Bank", invoice.currency, SETTLEMENTS), invoice.cents),
        (Account(owed_by(invoice.customer_id), invoice.currency, SETTLEMENTS), -invoice.cents),
    )
    ledger.post(tx, Entry(f"payment:{invoice.id}", "payment", at_ms, legs, invoice.number))


def book_credit_note(tx: Tx, before: Invoice, note: Invoice) -> None:
    """Post the reversal of an invoice that is taken back."""
    for found in ledger.read(tx, key=_key(before.id)):
        ledger.post(tx, reversal(found.entry, key=_key(note.id), at_ms=note.created_ms, text=note.number))


def uncleared(tx: Tx, currency: str, later: Mapping[str, int]) -> dict[str, int]:
    """Give what projects owe request by request and no invoice has taken over.

    Args:
        later: by project, nanos of requests after the month that is invoiced; they stay.
    """
    owed = {
        project: ledger.balance(tx, Account(account_name("Assets", "receivable", project), currency)) - nanos
        for project, nanos in later.items()
    }
    return {project: nanos for project, nanos in owed.items() if nanos}


def _key(paper_id: str) -> str:
    return f"invoice:{paper_id}"
