"""Invoices and statements as PDF, by fpdf2; the extra `primeur[pdf]`."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from primeur.billing.invoice_rows import Invoice, Party
from primeur.billing.paper import (
    WORDS,
    InvoiceView,
    StatementView,
    amount_text,
    date_text,
    quantity_text,
    show_invoice,
    show_statement,
    total_text,
)
from primeur.billing.statement_rows import Statement
from primeur.core.errors import SetupError

# What fpdf2 calls FPDF; it is loaded with the first paper.
Sheet = Any

_FONT = "Helvetica"
_LEFT, _WIDE = 20, 170
_GREY = (95, 105, 100)


def draw_invoice(invoice: Invoice) -> bytes:
    """Give a paper as PDF, in its customer's language.

    Raises:
        SetupError: fpdf2 is not installed.
    """
    view = show_invoice(invoice)
    words = WORDS.get(invoice.buyer.language, WORDS["en"])
    facts = [
        (words["number"], view.number),
        (words["date"], date_text(view.created_ms)),
        (words["due"], date_text(view.due_ms)),
        (words["period"], view.period),
    ]
    if view.corrects is not None:
        facts.append((words["corrects"], view.corrects))
    parties = (view.seller, view.buyer)
    return draw_paper(words[view.kind], parties, facts, _table(view, words), at_ms=view.created_ms)


def draw_statement(statement: Statement) -> bytes:
    """Give a statement as PDF, in its own language.

    Raises:
        SetupError: fpdf2 is not installed.
    """
    view = show_statement(statement)
    words = WORDS.get(statement.language, WORDS["en"])
    facts = [
        (words["number"], view.number),
        (words["date"], date_text(view.created_ms)),
        (words["period"], view.period),
    ]
    parties = (view.issued_by, Party(view.party, "", ""))
    return draw_paper(words[view.kind], parties, facts, _table(view, words), at_ms=view.created_ms)


def _table(
    view: InvoiceView | StatementView, words: dict[str, str]
) -> tuple[dict[str, str], list[tuple[str, str, str]], str]:
    rows = [
        (line.text, quantity_text(line, words), amount_text(line.nanos, view.currency, words["unknown"]))
        for line in view.lines
    ]
    if view.remainder_nanos:
        rows.append((words["rounding"], "", amount_text(-view.remainder_nanos, view.currency, "")))
    return words, rows, f"{total_text(view.total_cents, view.currency)} {view.currency}"


def draw_paper(
    title: str,
    parties: tuple[Party, Party],
    facts: Iterable[tuple[str, str]],
    table: tuple[dict[str, str], Sequence[tuple[str, str, str]], str],
    *,
    at_ms: int,
) -> bytes:
    """Lay out a paper: who to whom, what about, a table of three columns and its total.

    Args:
        at_ms: the paper's own date, which makes its bytes the same each time.
    """
    words, rows, total = table
    page = _blank(title, words["page"], at_ms)
    seller, buyer = parties
    _text(page, 16, title, style="B")
    _text(page, 10, f"{seller.name}\n{seller.address}\n{_tax(seller, words)}".strip())
    page.ln(4)
    _text(page, 8, words["to"], grey=True)
    _text(page, 10, f"{buyer.name}\n{buyer.address}\n{_tax(buyer, words)}".strip())
    page.ln(4)
    for name, value in facts:
        _text(page, 10, f"{name}: {value}")
    page.ln(4)
    page.set_font(_FONT, size=9)
    with page.table(col_widths=(95, 38, 37), text_align=("LEFT", "RIGHT", "RIGHT"), borders_layout="HORIZONTAL_LINES",
                    first_row_as_headings=True) as drawn:  # fmt: skip
        for cells in ((words["what"], words["quantity"], words["amount"]), *rows, (words["total"], "", total)):
            row = drawn.row()
            for cell in cells:
                row.cell(_latin(cell))
    page.ln(3)
    _text(page, 8, words["net"], grey=True)
    return bytes(page.output())


def _blank(title: str, page_word: str, at_ms: int) -> Sheet:
    try:
        from fpdf import FPDF  # noqa: PLC0415 (an extra, loaded when the first paper is drawn)
    except ImportError:
        raise SetupError("PDF needs fpdf2; install `primeur[pdf]`, or take the paper as JSON") from None

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-15)
            self.set_font(_FONT, size=8)
            self.set_text_color(*_GREY)
            self.cell(0, 10, page_word.format(page=f"{self.page_no()} / {{nb}}"), align="R")

    page = Paper(format="A4")
    page.set_margins(_LEFT, 20)
    page.set_auto_page_break(auto=True, margin=20)
    page.set_title(_latin(title))
    page.set_creator("Primeur")
    page.set_creation_date(datetime.fromtimestamp(at_ms / 1000, UTC))
    page.add_page()
    return page


def _text(page: Sheet, size: int, text: str, *, style: str = "", grey: bool = False) -> None:
    page.set_font(_FONT, style=style, size=size)
    page.set_text_color(*(_GREY if grey else (0, 0, 0)))
    page.multi_cell(_WIDE, size * 0.55, _latin(text), new_x="LMARGIN", new_y="NEXT")
    page.set_text_color(0, 0, 0)


def _tax(party: Party, words: dict[str, str]) -> str:
    return f"{words['tax_id']}: {party.tax_id}" if party.tax_id else ""


def _latin(text: str) -> str:
    """The fonts that every PDF reader has know Western letters only; others lose their marks or become ``?``."""
    kept = "".join(
        letter if letter.encode("latin-1", "ignore") else unicodedata.normalize("NFKD", letter) for letter in text
    )
    return kept.encode("latin-1", "replace").decode("latin-1")
