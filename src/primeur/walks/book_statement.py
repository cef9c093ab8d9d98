"""Post statements of providers and partners, and their payment."""

from primeur.billing.rules.charging import CREDIT, total_of
from primeur.billing.rules.invoicing import Draft
from primeur.billing.rules.stating import PROVIDER
from primeur.billing.statement_rows import Statement
from primeur.ledger import rows as ledger
from primeur.ledger.rules.entries import SETTLEMENTS, Account, Entry, account_name, settlement
from primeur.store.database import Tx
from primeur.walks.book_invoice import book_lost, prepaid_at


def payable_to(party: str) -> str:
    """Name the account of what we owe a provider or a partner."""
    return account_name("Liabilities", "payable", party)


def book_statement(tx: Tx, statement: Statement, draft: Draft) -> None:
    """Post a statement: what credits pay, what a month's tiers change, and the rest as one debt in cents.

    Requests took what was paid ahead by their rate alone; what credits really pay takes the place of that.
    """
    book_lost(tx, draft.lost, statement.id, statement.created_ms)
    currency, owed = statement.currency, payable_to(statement.party)
    burnt = -total_of(line for line in draft.lines if line.kind == CREDIT)
    volume = statement.nanos + burnt - statement.booked_nanos
    back = statement.ahead_nanos - burnt
    moved = {owed: -back - volume}
    if statement.kind == PROVIDER:
        moved |= {prepaid_at(statement.party): back, account_name("Expenses", "capacity", statement.party): volume}
    legs = [(Account(name, currency), nanos) for name, nanos in moved.items() if nanos]
    legs += [leg for leg in settlement(owed, currency, -statement.nanos, -statement.cents) if leg[1]]
    if len(legs) > 1:
        text = f"{statement.kind} {statement.period}"
        ledger.post(tx, Entry(f"statement:{statement.id}", "statement", statement.created_ms, tuple(legs), text))


def book_statement_payment(tx: Tx, statement: Statement, at_ms: int) -> None:
    """Post that a statement is paid."""
    if statement.cents == 0:
        return
    legs = (
        (Account(payable_to(statement.party), statement.currency, SETTLEMENTS), statement.cents),
        (Account("Assets:Bank", statement.currency, SETTLEMENTS), -statement.cents),
    )
    ledger.post(tx, Entry(f"payment:{statement.id}", "payment", at_ms, legs, statement.number))
