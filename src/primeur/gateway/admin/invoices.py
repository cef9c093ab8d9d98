"""Invoices and credit notes: made by the month, as JSON and PDF."""

from typing import Annotated

import msgspec

from primeur.billing import customer_rows, invoice_rows
from primeur.billing.paper import InvoiceView, show_invoice
from primeur.billing.pdf import draw_invoice
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.store.database import Tx
from primeur.walks.add_customer import choose_customer, sees
from primeur.walks.invoice_month import Invoiced, InvoiceRun, invoice_month
from primeur.walks.settle_invoice import choose_invoice, credit_invoice, pay_invoice


class InvoiceQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which papers: of a customer, of a month; all of them when not given."""

    customer: str = ""
    period: Annotated[str, msgspec.Meta(max_length=8)] = ""


class InvoicedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did for one customer.

    Attributes:
        invoice: null where there was nothing to invoice, or *fault* says why not.
        fresh: it was made by this run.
    """

    customer: str
    invoice: InvoiceView | None
    fault: str
    fresh: bool


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did, customer by customer; *dry_run*: what it would do."""

    period: str
    dry_run: bool
    data: list[InvoicedView]


def _invoiced(one: Invoiced) -> InvoicedView:
    paper = None if one.invoice is None else show_invoice(one.invoice)
    return InvoicedView(customer=one.customer.name, invoice=paper, fault=one.fault, fresh=one.fresh)


async def list_invoices(visit: Visit) -> Answer:
    """``GET /api/v1/invoices``: newest first."""
    query = asked(visit, InvoiceQuery)

    def read(tx: Tx) -> Page[InvoiceView]:
        only = choose_customer(tx, visit.caller, query.customer).id if query.customer else None
        seen = {one.id for one in customer_rows.list_customers(tx) if sees(visit.caller, one)}
        found = invoice_rows.list_invoices(tx, only, query.period or None)
        return Page([show_invoice(one) for one in found if one.customer_id in seen])

    return json_answer(await visit.house.store.read(read))


async def post_run(visit: Visit) -> Answer:
    """``POST /api/v1/invoices``: invoice a month, or try it."""
    ask = visit.read(InvoiceRun)
    made = await invoice_month(visit.house, visit.caller, ask)
    return json_answer(RunView(period=ask.period, dry_run=ask.dry_run, data=[_invoiced(one) for one in made]))


async def get_invoice(visit: Visit) -> Answer:
    """``GET /api/v1/invoices/{invoice}``: by number or id."""
    name = visit.params["invoice"]
    found = await visit.house.store.read(lambda tx: choose_invoice(tx, visit.caller, name))
    return json_answer(show_invoice(found))


async def get_pdf(visit: Visit) -> Answer:
    """``GET /api/v1/invoices/{invoice}/pdf``."""
    name = visit.params["invoice"]
    found = await visit.house.store.read(lambda tx: choose_invoice(tx, visit.caller, name))
    place = (b"content-disposition", b'attachment; filename="%b.pdf"' % found.number.encode())
    return Answer(200, draw_invoice(found), [place], content_type=b"application/pdf")


async def post_paid(visit: Visit) -> Answer:
    """``POST /api/v1/invoices/{invoice}/paid``."""
    return json_answer(show_invoice(await pay_invoice(visit.house, visit.caller, visit.params["invoice"])))


async def post_credit_note(visit: Visit) -> Answer:
    """``POST /api/v1/invoices/{invoice}/credit-note``."""
    note = await credit_invoice(visit.house, visit.caller, visit.params["invoice"])
    return json_answer(show_invoice(note), 201)


_ONE = "/api/v1/invoices/{invoice}"
DOORS = (
    Door("GET", "/api/v1/invoices", list_invoices, "List invoices and credit notes", "billing:read", face="admin",
         takes=InvoiceQuery, gives=Page[InvoiceView]),
    Door("POST", "/api/v1/invoices", post_run, "Invoice a month, or try it", "billing:write", tells="InvoiceIssued",
         face="admin", takes=InvoiceRun, gives=RunView),
    Door("GET", _ONE, get_invoice, "Show an invoice", "billing:read", face="admin", gives=InvoiceView),
    Door("GET", _ONE + "/pdf", get_pdf, "Show an invoice as PDF", "billing:read", face="admin"),
    Door("POST", _ONE + "/paid", post_paid, "Note that an invoice is paid", "billing:write", tells="InvoiceMoved",
         face="admin", gives=InvoiceView),
    Door("POST", _ONE + "/credit-note", post_credit_note, "Take an invoice back", "billing:write",
         tells="InvoiceIssued", face="admin", gives=InvoiceView, status=201),
)  # fmt: skip
