"""A customer's account for a month: what was open, what was invoiced, taken back and paid, what is open now."""

import msgspec

from primeur.billing.invoice_rows import Party
from primeur.billing.paper import WORDS, date_text, total_text
from primeur.billing.pdf import draw_paper


class MovementView(msgspec.Struct, frozen=True, kw_only=True):
    """One movement: ``invoice``, ``credit_note`` or ``payment``; *cents* raise what is owed, or lower it."""

    at_ms: int
    kind: str
    number: str
    cents: int
    amount: str


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's account; amounts are in the currency's coins, *credits* what is left of credits, exact."""

    customer_id: str
    seller: Party
    buyer: Party
    period: str
    currency: str
    opening: str
    opening_cents: int
    movements: list[MovementView]
    closing: str
    closing_cents: int
    credits: str
    created_ms: int


def draw_account(view: AccountView) -> bytes:
    """Give an account as PDF, in its customer's language.

    Raises:
        SetupError: fpdf2 is not installed.
    """
    words = WORDS.get(view.buyer.language, WORDS["en"])
    rows = [(words["opening"], "", view.opening)]
    rows += [
        (f"{words[one.kind]} {one.number}", date_text(one.at_ms), total_text(one.cents, view.currency))
        for one in view.movements
    ]
    facts = [(words["date"], date_text(view.created_ms)), (words["period"], view.period)]
    titled = words | {"quantity": words["date"], "total": words["closing"]}
    table = (titled, rows, f"{view.closing} {view.currency}")
    return draw_paper(words["account"], (view.seller, view.buyer), facts, table, at_ms=view.created_ms)
