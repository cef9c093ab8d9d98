"""Papers as JSON and PDF hold them: every line with its amount as exact decimals, and words in the paper's language."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from primeur.billing.invoice_rows import Invoice, Party
from primeur.billing.rules.charging import Line
from primeur.billing.rules.invoicing import minor_digits, nanos_per_cent
from primeur.billing.statement_rows import Statement
from primeur.core.money import amount_of

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "invoice": "Invoice", "credit_note": "Credit note", "number": "Number", "date": "Date", "due": "Due",
        "period": "Month (UTC)", "to": "To", "tax_id": "Tax number", "what": "What", "quantity": "Quantity",
        "amount": "Amount", "total": "Total", "rounding": "Rounding", "unknown": "unknown", "fee": "Plan {label}",
        "usage": "Use of {label}", "included": "Included in the plan", "unpriced": "Use of {label}, no price known",
        "correction": "Came late for {label}", "credit": "Paid by credit {label}", "seats": "{count} seats",
        "tokens": "{count} tokens", "corrects": "Takes back an invoice", "page": "Page {page}",
        "net": "Amounts are net of tax.", "provider": "Statement of capacity", "partner": "Statement of revenue share",
        "bought": "Capacity for {label}", "shared": "Share of the revenue of {label}",
        "volume": "Volume price of {label}", "requests": "{count} requests", "opening": "Opening balance",
        "closing": "Closing balance", "account": "Statement of account", "payment": "Payment", "paper": "Paper",
    },
    "fr": {
        "invoice": "Facture", "credit_note": "Avoir", "number": "Numéro", "date": "Date", "due": "Échéance",
        "period": "Mois (UTC)", "to": "À", "tax_id": "Numéro fiscal", "what": "Objet", "quantity": "Quantité",
        "amount": "Montant", "total": "Total", "rounding": "Arrondi", "unknown": "inconnu", "fee": "Forfait {label}",
        "usage": "Utilisation de {label}", "included": "Compris dans le forfait",
        "unpriced": "Utilisation de {label}, prix inconnu", "correction": "Arrivé après coup pour {label}",
        "credit": "Payé par le crédit {label}", "seats": "{count} places", "tokens": "{count} jetons",
        "corrects": "Annule une facture", "page": "Page {page}", "net": "Montants hors taxes.",
        "provider": "Relevé de capacité", "partner": "Relevé de partage des revenus",
        "bought": "Capacité pour {label}", "shared": "Part des revenus de {label}",
        "volume": "Prix de volume de {label}", "requests": "{count} requêtes", "opening": "Solde d'ouverture",
        "closing": "Solde de clôture", "account": "Relevé de compte", "payment": "Paiement", "paper": "Document",
    },
}  # fmt: skip


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a paper.

    Attributes:
        amount: exact decimals in text; null is unknown, which adds nothing.
        nanos: the same as an integer.
        month: the month that it charges.
    """

    kind: str
    label: str
    text: str
    quantity: int | None
    amount: str | None
    nanos: int | None
    from_ms: int | None
    to_ms: int | None
    month: str


class InvoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice or a credit note; *total* is in the currency's coins, *rounding* what that left of the lines."""

    id: str
    number: str
    kind: str
    state: str
    issuer: str
    customer_id: str
    seller: Party
    buyer: Party
    period: str
    currency: str
    lines: list[LineView]
    rounding: str
    total: str
    total_cents: int
    nanos: int
    remainder_nanos: int
    corrects: str | None
    created_ms: int
    due_ms: int
    ended_ms: int | None


def show_invoice(invoice: Invoice) -> InvoiceView:
    """Write a paper for programs."""
    words = WORDS.get(invoice.buyer.language, WORDS["en"])
    skipped = {"lines", "rounding", "total", "total_cents"}
    same = {name: getattr(invoice, name) for name in InvoiceView.__struct_fields__ if name not in skipped}
    return InvoiceView(
        **same,
        lines=[show_line(line, words) for line in invoice.lines],
        rounding=amount_of(-invoice.remainder_nanos),
        total=total_text(invoice.cents, invoice.currency),
        total_cents=invoice.cents,
    )


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider or a partner is owed for a month; *total* is in the currency's coins, as on an invoice."""

    id: str
    number: str
    kind: str
    state: str
    issuer: str
    party: str
    issued_by: Party
    period: str
    currency: str
    lines: list[LineView]
    rounding: str
    total: str
    total_cents: int
    nanos: int
    remainder_nanos: int
    language: str
    created_ms: int
    ended_ms: int | None


def show_statement(statement: Statement) -> StatementView:
    """Write a statement for programs."""
    words = WORDS.get(statement.language, WORDS["en"])
    skipped = {"lines", "rounding", "total", "total_cents"}
    same = {name: getattr(statement, name) for name in StatementView.__struct_fields__ if name not in skipped}
    return StatementView(
        **same,
        lines=[show_line(line, words) for line in statement.lines],
        rounding=amount_of(-statement.remainder_nanos),
        total=total_text(statement.cents, statement.currency),
        total_cents=statement.cents,
    )


def show_line(line: Line, words: dict[str, str]) -> LineView:
    """Write one line."""
    return LineView(
        kind=line.kind,
        label=line.label,
        text=words[line.kind].format(label=line.label),
        quantity=line.quantity,
        amount=None if line.nanos is None else amount_of(line.nanos),
        nanos=line.nanos,
        from_ms=None if line.span is None else line.span.from_ms,
        to_ms=None if line.span is None else line.span.to_ms,
        month=line.month,
    )


def total_text(cents: int, currency: str) -> str:
    """Write a total in the currency's coins: ``12.30``."""
    return f"{Decimal(cents).scaleb(-minor_digits(currency)):.{minor_digits(currency)}f}"


def quantity_text(line: LineView, words: dict[str, str]) -> str:
    """Write how many of what."""
    if line.quantity is None:
        return ""
    counted = {"fee": "seats", "bought": "requests", "shared": "requests"}.get(line.kind, "tokens")
    return words[counted].format(count=f"{line.quantity:,}".replace(",", " "))


def amount_text(nanos: int | None, currency: str, unknown: str) -> str:
    """Write an amount with the coins' decimals, and more where there are any: ``12.30``, ``0.000123``."""
    if nanos is None:
        return unknown
    if nanos % nanos_per_cent(currency) == 0:
        return total_text(nanos // nanos_per_cent(currency), currency)
    return amount_of(nanos)


def date_text(at_ms: int) -> str:
    """Write a date: ``2026-11-30``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
